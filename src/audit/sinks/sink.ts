/** A place outside that is given the record. */
export interface Sink {
  readonly kind: 'file' | 'webhook' | 'stdout';
  /**
   * Settles when the text is there for good; the same may come again when it did not.
   *
   * @param text whole lines, of which each character is a byte
   * @throws Error whose message an operator understands
   */
  deliver(text: string): Promise<void>;
  /** Lets go of everything; what is under way may fail. */
  close(): Promise<void>;
}
