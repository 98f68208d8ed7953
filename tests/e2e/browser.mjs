// The pages of a gate in a real, headless browser, which must report no error.
import assert from 'node:assert/strict';
import {mkdir} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';

import {chromium} from 'playwright-core';

const BROWSER = process.env.HUBBUB_CHROMIUM ?? '/usr/bin/chromium';
// Where pictures of the pages go. It is there once a browser has started.
export const OUT = fileURLToPath(new URL('../out/', import.meta.url));

export class Browser {
  #chromium;
  #pages = [];
  #problems = [];

  static async start() {
    await mkdir(OUT, {recursive: true});
    const browser = new Browser();
    browser.#chromium = await chromium.launch({
      executablePath: BROWSER,
      args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
             '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    return browser;
  }

  // A page that shares nothing with others. Lines of its console that `ignore` matches are no errors; the rest of the options are
  // those of Playwright's newContext.
  async open(url, {ignore, ...options} = {}) {
    const context = await this.#chromium.newContext({locale: 'en-GB', ...options});
    const page = await context.newPage();
    this.#pages.push(page);
    page.setDefaultTimeout(30000);
    page.on('pageerror', (error) => this.#problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !ignore?.test(message.text())) this.#problems.push(message.text());
    });
    await page.goto(url);
    return page;
  }

  // Closes all pages; fails if one of them has reported an error.
  async closePages() {
    const problems = this.#problems.splice(0);
    for (const page of this.#pages.splice(0)) await page.context().close();
    assert.deepEqual(problems, [], 'the page has reported errors');
  }

  async stop() {
    await this.#chromium.close();
  }
}
