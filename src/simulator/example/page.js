// The page: what stands where. Texts go in as text, never as HTML.
import { wordsOf, wordsOfBudget, wordsOfTime } from './words.js';

const at = (id) => document.getElementById(id);

/** Shows one of the two views, or none while nothing is known. */
export function showView(view) {
  for (const id of ['signed-out', 'fleet', 'who']) at(id).hidden = true;
  if (view === 'signed-out') at('signed-out').hidden = false;
  if (view === 'fleet') for (const id of ['fleet', 'who']) at(id).hidden = false;
}

/** Shows an error in words; undefined takes the last one away. */
export function showProblem(error) {
  const paragraphs = error === undefined ? [] : wordsOf(error).map(paragraph);
  at('problem').replaceChildren(...paragraphs);
}

/** Shows what stands in the way of everything, with a link where it helps. */
export function showObstacle(text, href) {
  const shown = paragraph(text);
  if (href !== undefined) shown.append(' ', Object.assign(document.createElement('a'), { href, textContent: href }));
  at('problem').replaceChildren(shown);
}

export function showBudget(budget) {
  if (budget !== undefined) at('budget').textContent = wordsOfBudget(budget);
}

export function showDone(text) {
  at('done').textContent = text;
}

/** Shows who is signed in, and their teams where there are several. */
export function showPerson({ person, teams }, team) {
  at('name').textContent = person.name;
  at('team-choice').hidden = teams.length < 2;
  at('team').replaceChildren(...teams.map(({ slug }) => new Option(slug, slug, false, slug === team)));
}

/** Shows one page of devices; `may` says which acts have a button, `act` hears of a press. */
export function showDevices({ data, prevPage, nextPage }, may, act) {
  at('devices').replaceChildren(...data.map((device) => card(device, may, act)));
  at('previous').disabled = prevPage === undefined;
  at('next').disabled = nextPage === undefined;
  if (data.length === 0) showDone('No devices here.');
}

export function setBusy(isBusy) {
  at('devices').setAttribute('aria-busy', String(isBusy));
}

/** Asks in a dialog; gives the form's fields, or undefined when it was dismissed. */
export function ask(id, device) {
  const dialog = at(id);
  const form = dialog.querySelector('form');
  form.reset();
  dialog.querySelector('.device').textContent = device.name;
  const [field] = form.elements;
  if (field instanceof HTMLInputElement) field.value = device.name;
  dialog.returnValue = '';
  dialog.showModal();
  if (field instanceof HTMLInputElement) field.select();
  return new Promise((resolve) => {
    form.onsubmit = () => {
      dialog.returnValue = 'yes';
    };
    dialog.querySelector('[data-close]').onclick = () => dialog.close();
    dialog.onclose = () => resolve(dialog.returnValue === 'yes' ? Object.fromEntries(new FormData(form)) : undefined);
  });
}

/** Puts a device's name on its card, and where its buttons are read out. */
export function nameCard(item, name) {
  item.querySelector('h3').textContent = name;
  for (const button of item.querySelectorAll('[data-act]')) {
    button.setAttribute('aria-label', `${button.textContent} ${name}`);
  }
}

function card(device, may, act) {
  const item = at('device').content.cloneNode(true).querySelector('li');
  const facts = {
    group: device.group?.name,
    family: device.family,
    battery: device.battery && `${device.battery.level} %`,
    seen: device.lastcheckin && wordsOfTime(device.lastcheckin),
  };
  for (const place of item.querySelectorAll('[data-fact]')) place.textContent = facts[place.dataset.fact] ?? '–';
  for (const button of item.querySelectorAll('[data-act]')) {
    const { act: name } = button.dataset;
    button.hidden = !may(name);
    button.onclick = () => act(name, device, item);
  }
  nameCard(item, device.name);
  return item;
}

function paragraph(text) {
  return Object.assign(document.createElement('p'), { textContent: text });
}
