const button = document.getElementById('sign-in');
const message = document.getElementById('message');

// The secret stands behind the "#", which browsers send to nobody. It leaves the address bar, and with it the history, at once.
const secret = location.hash.slice(1);
history.replaceState(null, '', location.pathname);

async function signIn() {
  button.disabled = true;
  message.textContent = 'Signing in…';
  try {
    const answer = await fetch('/auth/link', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Requested-By': 'gateway-page' },
      body: JSON.stringify({ secret }),
    });
    const said = await answer.json();
    if (answer.ok) {
      location.replace(said.next);
      return;
    }
    message.textContent = `Not signed in: ${said.message}`;
    // The link is still good: the gateway only could not do it now.
    button.disabled = answer.status < 500;
  } catch {
    message.textContent = 'Not signed in: the gateway does not answer. Try again.';
    button.disabled = false;
  }
}

if (secret === '') {
  message.textContent = 'This link is not whole: open it as it was given to you.';
} else {
  button.disabled = false;
  // Only a person clicks: programs that look at links in messages would use it up.
  button.addEventListener('click', signIn);
}
