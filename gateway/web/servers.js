// The page of the servers: asks the gate once a second who the servers are and how they do (servers.json, the JSON of
// hubbub.gate.v1.ListServersResponse), and shows it as one table. Whatever a server says of itself is set as text, never as
// HTML. What the plots show lives in this page alone.
const ASK_EVERY_MS = 1000;
const ANSWER_WITHIN_MS = 5000;
const [LEAST_PLOT_MS, PLOT_MS] = [60 * 1000, 5 * 60 * 1000];
// Two samples that are farther apart are not joined: nobody knows what was between.
const GAP_MS = 10 * 1000;
const [PLOT_WIDTH, PLOT_HEIGHT] = [120, 28];

const KINDS = {
  SERVER_KIND_GATE: {title: 'Gates', one: 'session', use: 'sessions'},
  SERVER_KIND_CONNECTOR: {title: 'Connectors', one: 'session', use: 'sessions'},
  SERVER_KIND_CHAT: {title: 'Chat servers', one: 'room', use: 'rooms'},
};
const STATES = {
  SERVER_STATE_READY: 'ready',
  SERVER_STATE_DRAINING: 'draining',
  SERVER_STATE_UNREACHABLE: 'unreachable',
  SERVER_STATE_UNSPECIFIED: 'silent',
};
const WORDS = {ready: 'ready', draining: 'draining', unreachable: 'unreachable', silent: 'no status'};
const SHAPES = {ready: 'm5 13 4.5 4.5L19 7', draining: 'M12 4v13m-6-6 6 6 6-6', unreachable: 'M6 6l12 12M18 6 6 18', silent: 'M5 12h14'};

const opened = Date.now();
const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en');
const percent = (load) => `${number.format(Math.round(load * (load < 0.095 ? 1000 : 100)) / (load < 0.095 ? 10 : 1))} %`;
const counted = (count, one) => `${number.format(count)} ${one}${count === 1 ? '' : 's'}`;

// A table that is laid out otherwise, as on a phone, may lose its meaning, unless it is said again.
const ROLES = {tbody: 'rowgroup', tr: 'row', td: 'cell', th: 'rowheader'};

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (ROLES[name]) made.setAttribute('role', ROLES[name]);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function shape(name, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A number with its plot.
class Measure {
  // `className` of its cell; `name` is what it measures.
  constructor(className, name, say) {
    this.name = name;
    this.say = say;
    this.samples = [];  // {time, value}, value null while nobody knows it.
    this.value = element('span', 'value');
    this.detail = element('span', 'detail');
    this.area = shape('path', {class: 'area'});
    this.line = shape('path', {'vector-effect': 'non-scaling-stroke'});
    this.plot = shape('svg', {class: 'spark', role: 'img', viewBox: `0 0 ${PLOT_WIDTH} ${PLOT_HEIGHT}`, preserveAspectRatio: 'none'}, this.area, this.line);
    this.cell = element('td', className, element('div', 'measure', element('span', '', this.value, ' ', this.detail), this.plot));
  }

  add(time, value, detail) {
    this.samples.push({time, value});
    while (this.samples[0].time < time - PLOT_MS) this.samples.shift();
    this.value.textContent = value === null ? '–' : this.say(value);
    this.detail.textContent = detail;
  }

  most() {
    return this.samples.reduce((most, {value}) => Math.max(most, value ?? 0), 0);
  }

  // `top`: the value at the upper edge, the same for all of a kind. The width is the time that the page has been open.
  draw(time, top) {
    const known = this.samples.filter(({value}) => value !== null);
    const span = Math.min(PLOT_MS, Math.max(LEAST_PLOT_MS, time - opened));
    const x = (sample) => (PLOT_WIDTH * (1 - (time - sample.time) / span)).toFixed(1);
    const y = (sample) => (PLOT_HEIGHT - 1 - (PLOT_HEIGHT - 4) * sample.value / top).toFixed(1);
    const pieces = [];
    let last = null;
    for (const sample of this.samples) {
      if (sample.value === null) {
        last = null;
        continue;
      }
      if (!last || sample.time - last.time > GAP_MS) pieces.push([]);
      pieces.at(-1).push(sample);
      last = sample;
    }
    const line = (piece) => piece.map((sample) => `${x(sample)} ${y(sample)}`).join('L');
    this.line.setAttribute('d', pieces.map((piece) => `M${line(piece)}`).join(''));
    this.area.setAttribute('d', pieces.map((piece) => `M${x(piece[0])} ${PLOT_HEIGHT}L${line(piece)}L${x(piece.at(-1))} ${PLOT_HEIGHT}Z`).join(''));
    const values = known.map(({value}) => value);
    this.plot.setAttribute('aria-label', values.length === 0 ? `${this.name}: nothing seen` :
      `${this.name}: between ${this.say(Math.min(...values))} and ${this.say(Math.max(...values))} in the last 5 minutes`);
  }
}

class Row {
  constructor({id, kind}) {
    const {one} = KINDS[kind];
    this.one = one;
    this.address = element('span', 'detail');
    this.word = element('span', 'word');
    const shapes = Object.entries(SHAPES).map(([state, d]) => shape('path', {class: `of-${state}`, d}));
    this.state = element('span', 'state', shape('svg', {viewBox: '0 0 24 24', 'aria-hidden': 'true'}, ...shapes), this.word);
    this.use = new Measure('use', `${one}s`, (count) => number.format(count));
    this.load = new Measure('load', 'load', percent);
    const name = element('bdi', 'id');
    name.textContent = id;
    const heading = element('th', '', name, this.address);
    heading.scope = 'row';
    this.element = element('tr', '', heading, element('td', 'how', this.state), this.use.cell, this.load.cell);
    this.element.dataset.server = id;
  }

  show(server, time) {
    const state = STATES[server.state] ?? 'silent';
    this.element.dataset.state = state;
    this.word.textContent = WORDS[state];
    const clients = server.clientAddress ? `, clients ${server.clientAddress}` : '';
    this.address.textContent = `${server.version ? `${server.version} · ` : ''}gRPC ${server.grpcAddress}${clients}`;
    const known = state === 'ready' || state === 'draining';
    const use = known ? server[`${this.one}s`] : null;
    const unit = use === 1 ? this.one : `${this.one}s`;
    this.use.add(time, use, known && this.one === 'room' ? `${unit}, ${counted(server.members, 'member')}` : unit);
    this.load.add(time, known ? server.cpuLoad : null, 'load');
  }
}

// The servers of one kind, in a tbody of their own.
class Group {
  constructor(kind) {
    this.kind = kind;
    this.rows = new Map();
    this.count = element('span', 'count');
    const heading = element('th', 'kind', KINDS[kind].title, this.count);
    heading.colSpan = 4;
    heading.scope = 'rowgroup';
    this.head = element('tr', '', heading);
    this.element = element('tbody', '', this.head);
  }

  show(servers, time) {
    const here = new Set(servers.map(({id}) => id));
    for (const [id, row] of this.rows) {
      if (here.has(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    let before = this.head;
    for (const server of servers) {
      let row = this.rows.get(server.id);
      if (!row) {
        row = new Row(server);
        this.rows.set(server.id, row);
      }
      row.show(server, time);
      if (before.nextSibling !== row.element) before.after(row.element);
      before = row.element;
    }
    const {one, use} = KINDS[this.kind];
    const total = servers.reduce((sum, server) => sum + server[use], 0);
    this.count.textContent = `${counted(servers.length, 'server')}, ${counted(total, one)}`;
    // So much at the least, that next to nothing does not look like much.
    const rows = [...this.rows.values()];
    const tops = [Math.max(10, ...rows.map((row) => row.use.most())), Math.max(0.1, ...rows.map((row) => row.load.most()))];
    for (const row of rows) {
      row.use.draw(time, tops[0]);
      row.load.draw(time, tops[1]);
    }
    this.element.hidden = servers.length === 0;
  }
}

const groups = Object.keys(KINDS).map((kind) => new Group(kind));
let known = null;  // The state of each server at the last answer, by kind and id.
let answered = null;

// Said aloud: what has changed, and no number.
function tellNews(servers) {
  const now = new Map(servers.map((server) => [`${server.kind} ${server.id}`, {id: server.id, word: WORDS[STATES[server.state] ?? 'silent']}]));
  if (known) {
    const news = [];
    for (const [key, {id, word}] of now) {
      if (known.get(key)?.word !== word) news.push(`${id} is ${word}.`);
    }
    for (const [key, {id}] of known) {
      if (!now.has(key)) news.push(`${id} has gone.`);
    }
    if (news.length > 0) at('news').textContent = news.join(' ');
  }
  known = now;
}

function show({servers, gate}, time) {
  for (const group of groups) group.show(servers.filter(({kind}) => kind === group.kind), time);
  const states = ['draining', 'unreachable', 'silent'].map((state) => [state, servers.filter((server) => STATES[server.state] === state).length]);
  const others = states.filter(([, count]) => count > 0).map(([state, count]) => `${count} ${WORDS[state]}`);
  at('summary').textContent = `${counted(servers.length, 'server')}, ${others.length > 0 ? others.join(', ') : 'all ready'}`;
  at('freshness').dataset.state = 'connected';
  at('freshness-text').textContent = `Live, by ${gate}`;
  tellNews(servers);
}

async function ask() {
  try {
    const response = await fetch('servers.json', {cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN_MS)});
    if (!response.ok) throw new Error(`the gate answers ${response.status}`);
    show(await response.json(), Date.now());
    answered = new Date();
  } catch {
    if (at('freshness').dataset.state !== 'lost') at('news').textContent = 'The gate does not answer.';
    at('freshness').dataset.state = 'lost';
    at('freshness-text').textContent = answered ? `No answer from the gate since ${answered.toLocaleTimeString('en-GB')}` : 'No answer from the gate';
  }
  setTimeout(ask, ASK_EVERY_MS);
}

at('servers').append(...groups.map((group) => group.element));
ask();
