// Chromium for the tests. Every page is watched: an error on the console (which a breach of the content security policy
// is), a failed script or a request to anybody but the box fails the test.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { PASSWORD } from './box.mjs';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];
/** On a busy machine a page may take this long; no test waits for it on purpose. */
const PATIENCE_MS = 30_000;

export const launch = (more = [], executablePath = process.env.CHROMIUM) =>
  chromium.launch({ executablePath, headless: true, args: [...FLAGS, ...more] });

/** A fresh browser profile looking at the box. `close()` fails when something went wrong on its pages. */
export async function visit(browser, box, { lang = 'en', theme = 'light', width = 1280, allow = [] } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 844 : 800 },
    locale: lang === 'zh' ? 'zh-CN' : 'en-US',
    colorScheme: theme,
    timezoneId: 'Europe/Berlin',
    ignoreHTTPSErrors: true,
    permissions: ['clipboard-read', 'clipboard-write', ...allow],
  });
  const wrong = [];
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.origin !== box.url) wrong.push(`asked somebody else: ${request.url()}`);
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('pageerror', (error) => wrong.push(`script: ${error.message}`));
  page.on('console', (message) => {
    // A refused request is part of some tests and is logged by the browser itself.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) wrong.push(`console: ${message.text()}`);
  });
  return {
    page,
    go: (where) => page.goto(box.url + where, { waitUntil: 'load' }),
    async close() {
      await context.close();
      if (wrong.length > 0) throw new Error(`on the pages went wrong:\n${wrong.join('\n')}`);
    },
  };
}

/** Signs in by the page. */
export async function login(seat, user = 'admin', password = PASSWORD) {
  const zh = await seat.page.evaluate(() => navigator.language.startsWith('zh'));
  await seat.go('/');
  await seat.page.getByLabel(zh ? '用户名' : 'User name').fill(user);
  await seat.page.getByLabel(zh ? '密码' : 'Password').fill(password);
  await seat.page.getByRole('button', { name: zh ? '登录' : 'Log in' }).click();
  await seat.page.locator('main#main h1').waitFor();
}

/** Violations of WCAG 2.2 A and AA, one line each. Injected past the policy of the page, which would refuse a script tag. */
export async function violations(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Runtime.evaluate', { expression: AXE });
  const run = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then((r) =>
    r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | ')))`;
  const { result } = await cdp.send('Runtime.evaluate', { expression: run, awaitPromise: true, returnByValue: true });
  await cdp.detach();
  return result.value;
}
