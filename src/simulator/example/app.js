// An example frontend: signs in at the gateway, lists devices page by page, renames one, reboots one.
import { createClient } from './client/client.js';
import * as page from './page.js';

const DEVICES_PER_PAGE = 12;
const EFFECTS = ['read', 'change', 'disruptive', 'destructive'];
const NEEDED = { rename: 'change', reboot: 'disruptive' };

const at = (id) => document.getElementById(id);
let client;
/** Who is signed in; undefined: nobody, as far as this page knows. */
let session;
/** The team that this page acts for. */
let team;

/** Does what somebody asked for; what goes wrong is told, in words. */
async function doing(work) {
  page.showProblem(undefined);
  page.showDone('');
  try {
    await work();
  } catch (error) {
    if (error.status === 401) signedOut();
    else page.showProblem(error);
  }
}

/** Looks who is signed in, without keeping the session alive: a page that lies open is no use of it. */
async function look() {
  const before = session?.session;
  try {
    session = await client.session.get({ slide: false });
  } catch (error) {
    if (error.status !== 401) throw error;
    signedOut();
    return;
  }
  if (session.session === before) return;
  const teams = session.teams.filter(({ calls }) => calls !== null);
  team = teams[0];
  page.showView('fleet');
  page.showPerson({ ...session, teams }, team?.slug);
  if (team === undefined) page.showObstacle('You have no role in a team that this page may act for. Ask for one.');
  else await show({});
}

function signedOut() {
  session = undefined;
  page.showView('signed-out');
}

/** Shows the page of the list that a key names. */
async function show(key) {
  page.setBusy(true);
  try {
    const options = { team: team.slug };
    const devices = await client.devices.list({ limit: DEVICES_PER_PAGE, ...key }, options).page();
    page.showDevices(devices, may, (name, device, item) => doing(() => ACTS[name](device, item)));
    at('previous').onclick = () => turn({ before: devices.prevPage });
    at('next').onclick = () => turn({ after: devices.nextPage });
  } finally {
    page.setBusy(false);
  }
}

/** Turns a page: who uses a keyboard or a screen reader begins at its top. */
function turn(key) {
  return doing(async () => {
    await show(key);
    at('fleet-title').focus();
  });
}

function may(name) {
  return EFFECTS.indexOf(team.calls.effects) >= EFFECTS.indexOf(NEEDED[name]);
}

const ACTS = {
  async rename(device, item) {
    const given = await page.ask('rename', device);
    if (given === undefined) return;
    await client.devices.rename(device.id, { name: given.name }, { team: team.slug });
    page.showDone(`${device.name} is now ${given.name}.`);
    device.name = given.name;
    page.nameCard(item, given.name);
  },
  async reboot(device) {
    if ((await page.ask('reboot', device)) === undefined) return;
    await client.notify.reboot({ devices: [device.id] }, { team: team.slug });
    page.showDone(`${device.name} restarts.`);
  },
};

async function signOut() {
  const { endSessionUrl } = await client.session.logout();
  signedOut();
  if (endSessionUrl !== undefined) location.assign(endSessionUrl);
}

async function start() {
  const { gatewayUrl } = await (await fetch('config.json')).json();
  if (gatewayUrl === null) {
    page.showObstacle('No gateway was named: start the simulator with --example-gateway http://127.0.0.1:8080');
    return;
  }
  // The cookie is for one site: "localhost" and "127.0.0.1" are two, whatever their ports.
  const { hostname } = new URL(gatewayUrl);
  if (hostname !== location.hostname) {
    const here = new URL(location.href);
    here.hostname = hostname;
    page.showObstacle(
      `The gateway is at ${gatewayUrl}, and its cookie is for that site only. Open this page as`,
      here.href,
    );
    return;
  }
  client = createClient({
    baseUrl: gatewayUrl,
    requestedBy: 'example-frontend',
    onAnswer: ({ budget }) => page.showBudget(budget),
  });
  at('sign-in').href = client.session.accountUrl();
  at('sign-out').onclick = () => doing(signOut);
  at('look-again').onclick = () => doing(look);
  at('team').onchange = ({ target }) => {
    team = session.teams.find(({ slug }) => slug === target.value);
    return turn({});
  };
  // Back from the window where one signs in, or out. What stands there to be read stays.
  addEventListener('focus', () => look().catch(page.showProblem));
  await look();
}

await doing(start);
