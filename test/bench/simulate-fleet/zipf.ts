import type { Random } from '../../../src/simulator/random.ts';

/** Draws 0, 1, 2 … with probabilities as 1, 1/2^skew, 1/3^skew …; a skew of 0 draws all alike. */
export class Zipf {
  readonly #upTo: Float64Array;
  readonly #random: Random;

  constructor(size: number, skew: number, random: Random) {
    this.#random = random;
    this.#upTo = new Float64Array(size);
    let sum = 0;
    for (let rank = 0; rank < size; rank++) {
      sum += (rank + 1) ** -skew;
      this.#upTo[rank] = sum;
    }
  }

  draw(): number {
    const upTo = this.#upTo;
    const wanted = this.#random.next() * (upTo.at(-1) as number);
    let [low, high] = [0, upTo.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] as number) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
