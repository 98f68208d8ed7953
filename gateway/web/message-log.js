// The list of messages and notices. It takes any number of them in: what comes between two frames is drawn at once, and
// only the newest MAX_ITEMS stay in the page; more while the reader looks at older ones. It stays at its newest end unless the reader has scrolled away from it.

const MAX_ITEMS = 500;
const MAX_OLDER_ITEMS = 3000;
const NEAR_BEGIN = 300;  // Pixels.
const GROUP_MS = 3 * 60 * 1000;
const LONG_CHARACTERS = 1800;
const LONG_LINES = 24;
const HUES = 8;

const clock = new Intl.DateTimeFormat(undefined, {hour: '2-digit', minute: '2-digit'});
const day = new Intl.DateTimeFormat(undefined, {weekday: 'long', day: 'numeric', month: 'long'});
const fullTime = new Intl.DateTimeFormat(undefined, {dateStyle: 'full', timeStyle: 'medium'});

// One of a few colours, the same for a name wherever it is shown.
export function hueOf(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  return hash % HUES;
}

export function initialOf(name) {
  const segmenter = Intl.Segmenter ? new Intl.Segmenter() : null;
  const first = segmenter ? segmenter.segment(name)[Symbol.iterator]().next().value?.segment : [...name][0];
  return (first ?? '?').toLocaleUpperCase();
}

export function element(tag, className, text) {
  const result = document.createElement(tag);
  if (className) result.className = className;
  if (text !== undefined) result.textContent = text;
  return result;
}

export class MessageLog {
  #list;
  #newest;
  #waiting = [];
  #frame = 0;
  #atEnd = true;
  #last = null;  // What was drawn last, to group by.
  #onBegin = () => {};

  constructor(list, newest) {
    this.#list = list;
    this.#newest = newest;
    list.addEventListener('scroll', () => {
      this.#atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
      if (this.#atEnd) newest.hidden = true;
      if (list.scrollTop < NEAR_BEGIN && list.childElementCount < MAX_OLDER_ITEMS) this.#onBegin();
    }, {passive: true});
    newest.addEventListener('click', () => this.toEnd());
    // The keyboard of a phone, a banner or a growing composer make the list smaller.
    new ResizeObserver(() => {
      if (this.#atEnd) this.toEnd();
    }).observe(list);
  }

  clear() {
    this.#waiting = [];
    this.#list.replaceChildren();
    this.#last = null;
    this.toEnd();
  }

  // `onBegin` is called when the reader comes near the oldest item.
  whenNearBegin(onBegin) {
    this.#onBegin = onBegin;
  }

  // Older messages, the oldest first, above all that is there: what the reader looks at stays in its place. With `mark`, a line
  // stands before the first one with a greater offset.
  older(messages, mark) {
    if (this.#frame) {
      cancelAnimationFrame(this.#frame);
      this.#draw();
    }
    const shown = new Set([...this.#list.querySelectorAll('.message')].map((row) => row.dataset.offset));
    const last = this.#last;
    this.#last = null;
    const added = document.createDocumentFragment();
    let marked = mark === undefined;
    for (const item of messages) {
      if (shown.has(String(item.offset))) continue;
      if (!marked && item.offset > mark) {
        marked = true;
        const line = element('li', 'day', 'New since your last visit');
        line.dataset.kind = 'mark';
        added.append(line);
      }
      this.#drawOne({kind: 'message', ...item}, added);
    }
    const today = this.#last?.date.toDateString();
    if (last) this.#last = last;
    const first = this.#list.firstElementChild;
    // The day that begins the list may have begun before.
    if (first?.dataset.kind === 'day' && today && first.textContent === dayText(new Date(today))) first.remove();
    const fromEnd = this.#list.scrollHeight - this.#list.scrollTop;
    this.#list.prepend(added);
    if (this.#atEnd) this.toEnd();
    else this.#list.scrollTop = this.#list.scrollHeight - fromEnd;
  }

  // {from, to, text, time, own, private, offset}
  message(message) {
    this.#add({kind: 'message', ...message});
  }

  // {kind: 'join' | 'leave', user, time}: several in a row become one line.
  coming(kind, user, time) {
    this.#add({kind, user, time});
  }

  notice(text, time = Date.now()) {
    this.#add({kind: 'notice', text, time});
  }

  toEnd() {
    this.#atEnd = true;
    this.#newest.hidden = true;
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  #add(item) {
    this.#waiting.push(item);
    if (this.#waiting.length > MAX_ITEMS) this.#waiting.shift();  // A hidden page draws no frames.
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    const stay = this.#atEnd;
    const added = document.createDocumentFragment();
    const own = this.#waiting.some((item) => item.own);
    for (const item of this.#waiting) this.#drawOne(item, added);
    this.#waiting = [];
    this.#list.append(added);
    const most = stay ? MAX_ITEMS : MAX_OLDER_ITEMS;
    while (this.#list.childElementCount > most) this.#list.firstElementChild.remove();
    // The first one may have lost the header that it shared.
    this.#list.firstElementChild?.removeAttribute('data-grouped');
    if (stay || own) this.toEnd();
    else this.#newest.hidden = false;
  }

  #drawOne(item, to) {
    const date = new Date(item.time);
    const last = this.#last;
    if (!last || last.date.toDateString() !== date.toDateString()) {
      const separator = element('li', 'day', dayText(date));
      separator.dataset.kind = 'day';
      to.append(separator);
    }
    if (item.kind === 'message') this.#drawMessage(item, date, last, to);
    else this.#drawNotice(item, date, last, to);
  }

  #drawMessage(item, date, last, to) {
    const grouped = last?.item.kind === 'message' && last.item.from === item.from && last.item.private === item.private &&
                    last.item.to === item.to && item.time - last.item.time < GROUP_MS;
    const row = element('li', 'message');
    Object.assign(row.dataset, {kind: 'message', from: item.from, to: item.to, offset: item.offset ?? ''});
    if (item.own) row.dataset.own = '';
    if (item.private) row.dataset.private = '';
    if (grouped) row.dataset.grouped = '';

    const avatar = element('span', 'avatar', initialOf(item.from));
    avatar.dataset.hue = hueOf(item.from);
    avatar.setAttribute('aria-hidden', 'true');

    const meta = element('p', 'meta');
    meta.append(element('bdi', 'from', item.own ? 'You' : item.from));
    if (item.private) {
      const badge = element('span', 'badge', item.own ? 'only to ' : 'only to you');
      if (item.own) badge.append(element('bdi', '', item.to));
      meta.append(badge);
    }
    const time = element('time', '', clock.format(date));
    time.dateTime = date.toISOString();
    time.title = fullTime.format(date);
    meta.append(time);

    const text = element('p', 'text');
    text.dir = 'auto';
    appendText(text, item.text);
    const bubble = element('div', 'bubble');
    bubble.append(text);
    if (item.text.length > LONG_CHARACTERS || item.text.split('\n', LONG_LINES + 1).length > LONG_LINES) clamp(bubble, text);

    const content = element('div', 'content');
    content.append(meta, bubble);
    row.append(avatar, content);
    to.append(row);
    this.#last = {item, date};
  }

  #drawNotice(item, date, last, to) {
    if (item.kind !== 'notice' && last?.item.kind === item.kind && last.row.parentNode) {
      last.users.push(item.user);
      fillComing(last.row, item.kind, last.users);
      return;
    }
    const row = element('li', 'notice');
    row.dataset.kind = item.kind;
    const users = [item.user];
    if (item.kind === 'notice') row.append(element('span', '', item.text));
    else fillComing(row, item.kind, users);
    const time = element('time', '', clock.format(date));
    time.dateTime = date.toISOString();
    row.append(time);
    to.append(row);
    this.#last = {item, date, row, users};
  }
}

function dayText(date) {
  return date.toDateString() === new Date().toDateString() ? 'Today' : day.format(date);
}

// "ada, bob and 3 others joined"
function fillComing(row, kind, users) {
  const line = row.querySelector('span') ?? row.appendChild(element('span'));
  const names = [...new Set(users)];
  row.dataset.users = names.slice(0, 20).join('\n');
  line.replaceChildren();
  const shown = names.length > 4 ? names.slice(0, 3) : names;
  const others = names.length - shown.length;
  shown.forEach((name, i) => {
    if (i > 0) line.append(i === shown.length - 1 && !others ? ' and ' : ', ');
    line.append(element('bdi', '', name));
  });
  if (others) line.append(` and ${others} others`);
  line.append(kind === 'join' ? ' joined' : ' left');
}

// Text with its web addresses as links; never markup.
function appendText(to, text) {
  let at = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"']+[^\s<>"'.,:;!?)\]}]/g)) {
    to.append(text.slice(at, match.index));
    const link = element('a', '', match[0]);
    link.href = match[0];
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    to.append(link);
    at = match.index + match[0].length;
  }
  to.append(text.slice(at));
}

function clamp(bubble, text) {
  text.classList.add('clamped');
  const button = element('button', 'more', 'Show all of it');
  button.type = 'button';
  button.setAttribute('aria-expanded', 'false');
  button.addEventListener('click', () => {
    const clamped = text.classList.toggle('clamped');
    button.textContent = clamped ? 'Show all of it' : 'Show less';
    button.setAttribute('aria-expanded', String(!clamped));
  });
  bubble.append(button);
}
