const LOOK_AGAIN_MS = 30_000;
const KINDS = { read: 'reading', change: 'a change', disruptive: 'disruptive', destructive: 'destructive' };

const byId = (id) => document.getElementById(id);

async function ask(path, method = 'GET') {
  const answer = await fetch(path, { method, headers: { 'X-Requested-By': 'gateway-page' } });
  const said = answer.status === 204 ? undefined : await answer.json();
  if (answer.ok) return said;
  throw Object.assign(new Error(said.message), { status: answer.status });
}

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className !== undefined) made.className = className;
  return made;
}

function spell(seconds) {
  if (seconds < 60) return `${seconds} second${seconds === 1 ? '' : 's'}`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} minute${minutes === 1 ? '' : 's'}`;
  return `${Math.floor(minutes / 60)} hours`;
}

function teamItem(team) {
  const item = document.createElement('li');
  item.append(element('h3', team.slug));
  const may = [];
  if (team.calls !== null)
    may.push(`call Mason (${team.calls.scopes.join(', ')}), up to what is ${KINDS[team.calls.effects]}`);
  if (team.manages) may.push('manage its apps, tokens and keys');
  if (team.audits) may.push('read its record');
  item.append(
    element('p', team.roles.length > 0 ? `Your role: ${team.roles.join(', ')}` : 'By your role for all teams'),
  );
  item.append(element('p', may.length > 0 ? `You may: ${may.join('; ')}` : 'You may do nothing here.', 'quiet'));
  return item;
}

function sessionItem(session) {
  const item = document.createElement('li');
  item.append(element('h3', session.current ? 'This session' : session.userAgent || 'Unknown browser'));
  if (session.current) item.append(element('p', session.userAgent, 'quiet'));
  const used = new Date(session.lastSeenAt).toLocaleString();
  item.append(element('p', `From ${session.address}. Last used ${used}.`, 'quiet'));
  if (!session.current) {
    const end = element('button', 'End');
    end.type = 'button';
    end.setAttribute('aria-label', `End the session from ${session.address}, last used ${used}`);
    end.addEventListener('click', () => act(() => ask(`/auth/sessions/${encodeURIComponent(session.id)}`, 'DELETE')));
    item.append(end);
  }
  return item;
}

function showSignedOut() {
  byId('signed-in').hidden = true;
  byId('signed-out').hidden = false;
  byId(document.body.dataset.signIn === 'login' ? 'by-login' : 'by-link').hidden = false;
  byId('message').textContent = '';
}

function showSession(session) {
  byId('who').textContent = session.person.name;
  byId('left').textContent = spell(session.secondsLeft);
  byId('operates').hidden = !session.operates;
  byId('no-teams').hidden = session.operates || session.teams.length > 0;
  byId('teams').replaceChildren(...session.teams.map(teamItem));
  byId('signed-in').hidden = false;
  byId('signed-out').hidden = true;
  byId('message').textContent = '';
}

async function show(sessionPath) {
  showSession(await ask(sessionPath));
  const { sessions } = await ask('/auth/sessions');
  byId('sessions').replaceChildren(...sessions.map(sessionItem));
  byId('end-others').hidden = sessions.length < 2;
}

function showFailure(error) {
  if (error.status === 401) showSignedOut();
  else byId('message').textContent = `That did not work: ${error.message}`;
}

async function act(what) {
  try {
    await what();
    await show('/auth/session');
  } catch (error) {
    showFailure(error);
  }
}

async function signOut() {
  try {
    const said = await ask('/auth/logout', 'POST');
    if (said === undefined) showSignedOut();
    else location.assign(said.endSessionUrl);
  } catch (error) {
    showFailure(error);
  }
}

async function lookAgain() {
  if (document.hidden || byId('signed-in').hidden) return;
  try {
    showSession(await ask('/auth/session?slide=false'));
  } catch (error) {
    showFailure(error);
  }
}

byId('sign-out').addEventListener('click', signOut);
byId('end-others').addEventListener('click', () => act(() => ask('/auth/sessions', 'DELETE')));
setInterval(lookAgain, LOOK_AGAIN_MS);
void act(async () => {});
