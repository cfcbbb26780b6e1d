// Every page in both languages, both themes, and on a phone and a desk: no violation of WCAG 2.2 A and AA, nothing wider
// than the screen, no text in the wrong language.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { login, violations, visit } from './browser.mjs';
import { scene } from './scene.mjs';

const PAGES = [
  '/',
  '/calls',
  '/history',
  '/voicemail',
  '/desk',
  '/supervise',
  '/reports',
  '/reports/agents',
  '/wall',
  '/contacts',
  '/contacts/new',
  '/campaigns',
  '/campaigns/lists',
  '/campaigns/simulate',
  '/campaigns/campaign/new',
  '/campaigns/campaign/spring',
  '/queues',
  '/queues/agents',
  '/queues/queue/main',
  '/queues/agents/102',
  '/extensions',
  '/extensions/101',
  '/extensions/new',
  '/trunks',
  '/trunks/carrier',
  '/numbers',
  '/numbers/inbound/0',
  '/numbers/outbound',
  '/numbers/outbound/0',
  '/numbers/menus',
  '/numbers/menus/welcome',
  '/numbers/prompts',
  '/numbers/what-if',
  '/settings',
  '/settings/network',
  '/settings/time',
  '/settings/mail',
  '/settings/alarms',
  '/settings/codes',
  '/settings/hours',
  '/settings/hours/office',
  '/settings/audio',
  '/settings/users',
  '/settings/tokens',
  '/health',
  '/backup',
  '/update',
  '/capture',
  '/backup/plan',
  '/backup/keep',
  '/backup/reset',
  '/config',
  '/config/text',
  '/events',
  '/events/bans',
];

let browser;
let box;
scene((it) => ({ browser, box } = it), { phones: ['101'] });

/** English words of the interface that must not stand on a Chinese page. */
const ENGLISH = /\b(Save|Delete|Search|Loading|Edit|Add|None|Show|Settings|Trunks|Extensions|Queue|Agent|Recording|Name|Number|State)\b/;

for (const [lang, theme, width] of [
  ['en', 'light', 1280],
  ['en', 'dark', 390],
  ['zh', 'dark', 1280],
  ['zh', 'light', 390],
]) {
  test(`all pages: ${lang}, ${theme}, ${width} wide`, async () => {
    const seat = await visit(browser, box, { lang, theme, width });
    const { page } = seat;
    await login(seat);
    const found = [];
    const menu = await page.locator('nav a').evaluateAll((links) => links.map((a) => new URL(a.href).pathname));
    assert.deepEqual(menu.filter((where) => !PAGES.includes(where)), [], 'every page of the menu is looked at');
    for (const where of PAGES) {
      // As a link does: without loading the whole frame again.
      await page.evaluate((to) => {
        history.pushState(null, '', to);
        dispatchEvent(new PopStateEvent('popstate'));
      }, where);
      await page.waitForFunction((to) => document.querySelector('main:not([aria-busy="true"]) h1') && location.pathname === to, where);
      await page.waitForFunction(() => !/Loading…|正在加载…|Asking the box|正在询问设备/.test(document.body.innerText));
      for (const line of await violations(page)) found.push(`${where}: ${line}`);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wider > 0) found.push(`${where}: ${wider} px wider than the screen`);
      const tongue = await page.evaluate(() => document.documentElement.lang);
      assert.equal(tongue, lang === 'zh' ? 'zh-CN' : 'en-GB');
      if (lang === 'zh') {
        const slip = ENGLISH.exec(await page.evaluate(() => document.body.innerText));
        if (slip) found.push(`${where}: English on a Chinese page: ${slip[0]}`);
      }
    }
    await seat.close();
    assert.deepEqual(found, []);
  });
}

test('login without a mouse: tab, type, enter; then a shortcut leads to a page', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await seat.go('/');
  await page.getByRole('heading', { level: 1, name: 'Log in' }).waitFor();
  await page.getByLabel('User name').focus();
  await page.keyboard.type('admin');
  await page.keyboard.press('Tab');
  await page.keyboard.type('a short sentence 7');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('x');
  await page.getByRole('heading', { level: 1, name: 'Extensions' }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('rece');
  await page.getByText('1 of 2').waitFor();
  await seat.close();
});
