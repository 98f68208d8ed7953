// The chat page in a real browser: two people sign in, talk, whisper, change rooms, and live through the death of a
// connector. Leaves pictures of the page in tests/out.
import assert from 'node:assert/strict';
import {after, afterEach, before, test} from 'node:test';

import {Browser, OUT} from './browser.mjs';
import {StockClient} from './stock_client.mjs';
import {Suite} from './suite.mjs';

const DESKTOP = {viewport: {width: 1180, height: 760}};
const PHONE = {viewport: {width: 360, height: 720}, deviceScaleFactor: 2, isMobile: true, hasTouch: true};

let suite;
let browser;

before(async () => {
  suite = await Suite.start({connectors: 2, chats: 2});
  browser = await Browser.start();
});
afterEach(() => browser?.closePages());
after(async () => {
  await browser?.stop();
  await suite?.stop();
});

// A connection that is lost is the subject of a test, not a mistake of the page.
const open = (options = DESKTOP) => browser.open(`http://127.0.0.1:${suite.gatePort}/`, {...options, ignore: /WebSocket connection/});

async function signIn(page, user, room) {
  await page.fill('#user-input', user);
  await page.fill('#room-input', room);
  await page.click('#sign-in-button');
  await state(page, 'connected');
  await page.waitForSelector('#chat:not([hidden])');
}

async function person(user, room, options) {
  const page = await open(options);
  await signIn(page, user, room);
  return page;
}

const state = (page, wanted) => page.waitForSelector(`#connection[data-state="${wanted}"]`, {state: 'attached'});

async function say(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

const sees = (page, text, more = '') => page.locator(`.message${more}`).filter({has: page.getByText(text, {exact: true})}).first().waitFor();
const member = (page, user) => page.waitForSelector(`#member-list li[data-user=${JSON.stringify(user)}]`, {state: 'attached'});
const texts = (page) => page.locator('#log .text').allTextContents();
const choose = (page, user) => page.click(`#member-list button[data-user=${JSON.stringify(user)}]`);

test('the page says before anybody signs in that the suite is open', async () => {
  const page = await open();
  await page.waitForSelector('#sign-in-notice:not([hidden])');
  assert.equal(await page.textContent('#sign-in-notice'), 'This suite is open: everybody may be anybody here.');
  await page.screenshot({path: `${OUT}/sign-in-open.png`});
});

async function changeRoom(page, room) {
  await page.click('#room-button');
  await page.fill('#new-room-input', room);
  await page.press('#new-room-input', 'Enter');
}

test('two people talk, and one whispers to the other', async () => {
  const [ada, bob, ming] = [await person('Ada', 'tea-room'), await person('Bob', 'tea-room', {...DESKTOP, colorScheme: 'dark'}),
                            await person('陈小明', 'tea-room', PHONE)];
  for (const user of ['Ada', 'Bob', '陈小明']) await member(ada, user);
  assert.equal(await ada.textContent('#people-count'), '3');
  await ada.waitForSelector('.notice[data-kind="join"]:has-text("Bob")');

  await say(ada, 'Good morning! Did anyone see the northern lights last night?');
  await say(bob, 'I did, from the harbour. Pictures: https://example.org/aurora, worth a look.');
  await say(bob, 'Two hours of green curtains 💚');
  await sees(ada, 'Two hours of green curtains 💚', '[data-grouped]');
  await say(ming, '太美了！我也想看 😂');
  await say(ada, 'שלום לכולם, מה שלומכם?');
  await sees(bob, 'שלום לכולם, מה שלומכם?');
  await sees(bob, '太美了！我也想看 😂');
  assert.equal(await ada.getAttribute('.text a', 'href'), 'https://example.org/aurora');

  await choose(bob, 'Ada');
  await say(bob, 'Psst: a party for Ming at six.');
  await sees(ada, 'Psst: a party for Ming at six.', '[data-private]');
  await sees(bob, 'Psst: a party for Ming at six.', '[data-private][data-own]');
  await bob.click('#target-clear');
  await say(bob, 'Back to work, everyone.');
  await sees(ming, 'Back to work, everyone.');
  assert.ok(!(await texts(ming)).some((text) => text.startsWith('Psst')));

  await say(ada, '<img src=x onerror="alert(1)"> & <b>no markup</b>');
  await sees(bob, '<img src=x onerror="alert(1)"> & <b>no markup</b>');
  await ada.screenshot({path: `${OUT}desktop-light.png`});
  await bob.screenshot({path: `${OUT}desktop-dark.png`});
  await ming.screenshot({path: `${OUT}phone.png`});
  await ming.click('#people-button');
  await ming.waitForSelector('#people[data-open]');
  await ming.screenshot({path: `${OUT}phone-people.png`, animations: 'disabled'});
});

test('changing rooms keeps the connection, and shows the new room alone', async () => {
  const [ada, bob] = [await person('Ada', 'first'), await person('Bob', 'first')];
  let sockets = 0;
  bob.on('websocket', () => {
    sockets += 1;
  });
  await say(ada, 'in the first room');
  await sees(bob, 'in the first room');
  await changeRoom(bob, 'second');
  await bob.waitForSelector('#room-name:text-is("second")');
  await ada.waitForSelector('.notice[data-kind="leave"]:has-text("Bob")');
  assert.deepEqual(await texts(bob), []);
  await changeRoom(ada, 'second');
  await ada.waitForSelector('#room-name:text-is("second")');
  await say(ada, 'hello, second');
  await sees(bob, 'hello, second');
  assert.equal(await bob.textContent('#people-count'), '2');
  assert.equal(sockets, 0, 'no new connection was made');
});

test('what is wrong is said in plain words', async () => {
  await person('Ada', 'errors');
  const page = await open();
  const error = page.locator('#sign-in-error');
  const tryTo = async (user, room, words) => {
    await page.fill('#user-input', user);
    await page.fill('#room-input', room);
    await page.click('#sign-in-button');
    await error.filter({hasText: words}).waitFor();
  };
  await tryTo('', 'errors', 'Please type your name');
  await page.screenshot({path: `${OUT}sign-in-error.png`});
  await tryTo('Ada', '', 'Please type the room');
  await tryTo('x'.repeat(65), 'errors', 'too long');
  await tryTo('名'.repeat(22), 'errors', 'too long');
  await tryTo('Ada', 'errors', 'Please choose another name');
  await signIn(page, 'Bob', 'errors');
  await page.fill('#text', 'x'.repeat(33000));
  await page.press('#text', 'Enter');
  await page.locator('#composer-error').filter({hasText: 'too long'}).waitFor();
  assert.equal((await page.inputValue('#text')).length, 33000, 'what was typed is kept');
  await changeRoom(page, 'errors');
  await page.locator('#room-error').filter({hasText: 'already'}).waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#room-dialog').evaluate((dialog) => dialog.open), false);
});

test('everything can be done by keyboard', async () => {
  const bob = await person('Bob', 'keys');
  const page = await open();
  await page.keyboard.type('Ada');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('keys');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#chat:not([hidden])');
  await page.keyboard.type('typed');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('in two lines');
  await page.keyboard.press('Enter');
  await bob.waitForSelector('.text:has-text("in two lines")');
  await member(page, 'Bob');
  for (let i = 0; i < 20; ++i) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.dataset.user === 'Bob')) break;
  }
  await page.keyboard.press('Enter');
  await page.keyboard.type('only Bob reads this');
  await page.keyboard.press('Enter');
  await sees(bob, 'only Bob reads this', '[data-private]');
  await page.keyboard.press('Escape');
  assert.equal(await page.textContent('#target-name'), 'everyone');
});

test('the page stays light with thousands of messages, and fits the narrowest phone', async () => {
  const page = await person('Ada', 'crowd', {...PHONE, viewport: {width: 320, height: 560}});
  const bot = await new StockClient().connect(suite.gatePort, 'bot');
  try {
    await bot.enter('bot', 'crowd');
    for (let i = 0; i < 1200; i += 50) await Promise.all(Array.from({length: 50}, (_, j) => bot.send('crowd', `message ${i + j}`)));
    await sees(page, 'message 1199');
    assert.ok(await page.locator('#log > li').count() <= 500);
    await bot.send('crowd', `long ${'word'.repeat(2000)}`);
    await page.waitForSelector('.text.clamped');
    await page.click('.more');
    await page.waitForSelector('.more[aria-expanded="true"]');
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `the page is ${overflow} pixels too wide`);
    await page.evaluate(() => {
      document.getElementById('log').scrollTop = 0;
    });
    await page.waitForFunction(() => document.getElementById('log').scrollTop < 1000);
    await bot.send('crowd', 'while you were reading');
    await page.waitForSelector('#newest:not([hidden])');
    await page.screenshot({path: `${OUT}narrow.png`});
    await page.click('#newest');
    await page.waitForSelector('#newest', {state: 'hidden'});
  } finally {
    bot.close();
  }
});

test('the theme is remembered, and a reload comes back to the room', async () => {
  const page = await person('Ada', 'reload');
  const isDark = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  assert.match(await isDark(), /light/);
  await page.click('#chat [data-theme-button]');
  assert.equal(await isDark(), 'dark');
  await page.reload();
  await state(page, 'connected');
  assert.equal(await isDark(), 'dark');
  assert.equal(await page.textContent('#room-name'), 'reload');
  await page.click('#sign-out');
  await page.waitForSelector('#sign-in:not([hidden])');
  assert.equal(await page.inputValue('#user-input'), 'Ada');
  await page.screenshot({path: `${OUT}sign-in-dark.png`});
});

test('when a connector dies, the page comes back by itself and says so', async () => {
  const people = [];
  // So many that each connector has some.
  for (let i = 0; i < 4; ++i) people.push(await person(`user-${i}`, 'storm'));
  for (const connector of suite.connectors) await connector.stop('SIGKILL');
  for (const page of people) await state(page, 'reconnecting');
  await people[0].screenshot({path: `${OUT}reconnecting.png`});
  await say(people[0], 'written while offline');
  await people[0].locator('#composer-error').filter({hasText: 'kept'}).waitFor();
  assert.equal(await people[0].inputValue('#text'), 'written while offline');
  await Promise.all(suite.connectors.map((connector) => connector.start()));
  for (const page of people) {
    await page.waitForSelector('#connection[data-state="connected"]', {timeout: 45000});
    await page.waitForSelector('#banner', {state: 'hidden'});
  }
  await people[0].press('#text', 'Enter');
  for (const page of people) await sees(page, 'written while offline');
  for (const page of people) assert.equal(await page.textContent('#people-count'), '4');
});

test('what was said before is there, older messages come by scrolling up, and a mark shows where the last visit ended', async () => {
  const room = 'with-a-past';
  const ada = await person('Ada', room);
  for (let i = 1; i <= 70; ++i) {
    await say(ada, `message ${i}`);
    if (i % 10 === 0) await sees(ada, `message ${i}`);
  }
  const bob = await person('Bob', room);
  await sees(bob, 'message 70');
  assert.equal(await bob.locator('.message').filter({has: bob.getByText('message 10', {exact: true})}).count(), 0, 'a page at a time');
  await bob.evaluate(() => {
    document.getElementById('log').scrollTop = 100;
  });
  await sees(bob, 'message 1');
  const said = await texts(bob);
  assert.deepEqual(said, Array.from({length: 70}, (_, i) => `message ${i + 1}`), 'each once, in order');
  assert.equal(await bob.locator('.day[data-kind="day"]').count(), 1, 'one line for the day');

  await bob.click('#sign-out');
  await say(ada, 'while Bob was away');
  await sees(ada, 'while Bob was away');
  await bob.fill('#user-input', 'Bob');
  await bob.fill('#room-input', room);
  await bob.press('#room-input', 'Enter');
  await sees(bob, 'while Bob was away');
  await bob.waitForSelector('[data-kind="mark"]:has-text("New since your last visit")');
  const after = await bob.$eval('[data-kind="mark"]', (mark) => mark.nextElementSibling.querySelector('.text')?.textContent);
  assert.equal(after, 'while Bob was away');
});
