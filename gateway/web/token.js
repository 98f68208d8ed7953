// The sign-in token of a suite that demands one. It comes behind #token= in the page's address, because a browser sends that part of
// an address to no server. It is taken out of the address at once, so that it stays in no history, and is kept for reloads of this
// tab.

const KEY = 'hubbub.token';

// Takes the token out of the page's address. Answers {token, user}, or null if this page never got one.
export function takeToken() {
  const fresh = new URLSearchParams(location.hash.slice(1)).get('token');
  if (fresh !== null) history.replaceState(null, '', location.pathname + location.search);
  let token = fresh;
  try {
    if (fresh !== null) sessionStorage.setItem(KEY, fresh);
    else token = sessionStorage.getItem(KEY);
  } catch {
    // Storage may be forbidden: then a reload needs the address again.
  }
  return token ? {token, user: userOf(token)} : null;
}

// Whom the token names; '' if it cannot be read. The server alone judges tokens.
function userOf(token) {
  try {
    const claims = atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(claims, (character) => character.charCodeAt(0));
    return String(JSON.parse(new TextDecoder().decode(bytes)).sub ?? '');
  } catch {
    return '';
  }
}
