// The list of people in the room: "Everyone" first, then oneself, then the others by name. Choosing an entry makes it the
// target of the next message. Drawn at most once a frame, and no more than MAX_SHOWN people of any room.

import {element, hueOf, initialOf} from './message-log.js';

const MAX_SHOWN = 300;
const FILTER_FROM = 16;

const collator = new Intl.Collator(undefined, {sensitivity: 'base', numeric: true});

export class MemberList {
  #list;
  #counts;
  #filterBox;
  #filter;
  #more;
  #onChoose;
  #users = new Set();
  #total = 0;
  #self = '';
  #target = '*';
  #frame = 0;

  constructor({list, counts, filterBox, filter, more, onChoose}) {
    this.#list = list;
    this.#counts = counts;
    this.#filterBox = filterBox;
    this.#filter = filter;
    this.#more = more;
    this.#onChoose = onChoose;
    filter.addEventListener('input', () => this.#schedule());
    list.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (button && !button.disabled) this.#onChoose(button.dataset.user);
    });
  }

  has(user) {
    return this.#users.has(user);
  }

  // `total` may be more than the users who are known by name.
  set(users, {self, total = users.length}) {
    this.#users = new Set(users);
    this.#total = total;
    this.#self = self;
    this.#schedule();
  }

  add(user) {
    if (!this.#users.has(user)) this.#total += 1;
    this.#users.add(user);
    this.#schedule();
  }

  remove(user) {
    this.#users.delete(user);
    this.#total = Math.max(this.#total - 1, this.#users.size);
    this.#schedule();
  }

  choose(target) {
    this.#target = target;
    this.#schedule();
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    for (const count of this.#counts) count.textContent = this.#total.toLocaleString();
    this.#filterBox.hidden = this.#users.size < FILTER_FROM;
    const wanted = this.#filterBox.hidden ? '' : this.#filter.value.trim().toLocaleLowerCase();
    const others = [...this.#users].filter((user) => user !== this.#self && user.toLocaleLowerCase().includes(wanted));
    others.sort(collator.compare);
    const shown = others.slice(0, MAX_SHOWN);
    const hidden = others.length - shown.length + (wanted ? 0 : this.#total - this.#users.size);
    this.#more.hidden = hidden <= 0;
    this.#more.textContent = `and ${hidden.toLocaleString()} more`;

    const rows = wanted ? shown : ['*', this.#self, ...shown];
    const old = new Map([...this.#list.children].map((row) => [row.dataset.user, row]));
    rows.forEach((user, i) => {
      const row = old.get(user) ?? this.#row(user);
      old.delete(user);
      row.firstElementChild.setAttribute('aria-pressed', String(user === this.#target));
      // Rows that are in place stay there: moving one would take the focus from it.
      if (this.#list.children[i] !== row) this.#list.insertBefore(row, this.#list.children[i] ?? null);
    });
    for (const row of old.values()) row.remove();
  }

  #row(user) {
    const row = element('li');
    row.dataset.user = user;
    const button = element('button', 'member');
    button.type = 'button';
    button.dataset.user = user;
    const avatar = element('span', 'avatar', user === '*' ? '∗' : initialOf(user));
    avatar.setAttribute('aria-hidden', 'true');
    if (user === '*') avatar.classList.add('everyone');
    else avatar.dataset.hue = hueOf(user);
    button.append(avatar, element('bdi', 'name', user === '*' ? 'Everyone' : user));
    if (user === this.#self) {
      button.disabled = true;
      button.append(element('span', 'you', 'you'));
    }
    row.append(button);
    return row;
  }
}
