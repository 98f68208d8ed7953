// What people may type, and what the page tells them. The bounds are the server's own: see "Client routes" in its
// documentation; checking them here only makes the answer quicker and the words kinder.

const MAX_NAME_BYTES = 64;
const MAX_TEXT_BYTES = 32 * 1024;

const bytes = (text) => new TextEncoder().encode(text).length;

// What is wrong with a name, as a sentence; '' if nothing is. `what` is "name" or "room".
export function nameProblem(what, name) {
  const thing = what === 'room' ? 'room name' : 'name';
  if (!name) return what === 'room' ? 'Please type the room that you want to enter.' : 'Please type your name.';
  if (/[\p{Cc}\p{Zl}\p{Zp}\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/u.test(name)) return `The ${thing} has a character that cannot be shown. Please type it again.`;
  if (what === 'name' && name === '*') return '"*" means everybody. Please choose another name.';
  if (bytes(name) > MAX_NAME_BYTES) {
    return `This ${thing} is too long: ${MAX_NAME_BYTES} letters fit, or about ${Math.floor(MAX_NAME_BYTES / 3)} Chinese characters.`;
  }
  return '';
}

export function textProblem(text) {
  const size = bytes(text);
  if (size <= MAX_TEXT_BYTES) return '';
  return `This message is too long: it has ${Math.ceil(size / 1024)} KiB, and ${MAX_TEXT_BYTES / 1024} KiB fit. Please send it in parts.`;
}

// An error of the client library in plain words.
export function explain(error, {user, room} = {}) {
  switch (error.code) {
    case 'unreachable':
    case 'offline':
      return 'The server cannot be reached. Please check your connection and try again.';
    case 'timeout':
      return 'The server takes too long to answer. Please try again.';
    case 'closed':
      return 'The connection was lost before the server answered. Please try again.';
    default:
      break;
  }
  if (user && /already/i.test(error.message)) {
    return `Somebody called "${user}" is in "${room}" already. Please choose another name.`;
  }
  return error.message;
}

// Why the server ended the connection, by the reason of its kick.
export function explainKick(reason) {
  switch (reason) {
    case 'replaced':
      return 'You entered this room from another place, so this page was disconnected.';
    case 'slow':
      return 'This page could not keep up with the room and was disconnected.';
    case 'disconnected':
      return 'You were disconnected by the server.';
    case 'closed':
      return 'The connection was lost.';
    default:
      return `You were disconnected by the server: ${reason}.`;
  }
}
