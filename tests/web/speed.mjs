// How fast the pages are with calls up, as metric,value,unit lines: tests/web/run speed.mjs [calls]
// The browser is slowed down fourfold, as a small tablet is. Sizes are exact; times follow the load of the machine.
import { SITE, startBox, tryToSignIn } from './box.mjs';
import { launch, login, visit } from './browser.mjs';
import { Phone } from './phone.mjs';

const CALLS = Number(process.argv[2] ?? 50);
const VIEWERS = 20;
const SLOWER = 4;
const ROUNDS = 5;
const PAGES = ['/calls', '/history', '/voicemail', '/queues', '/queues/agents', '/extensions', '/trunks', '/numbers', '/settings', '/config', '/events', '/'];

const say = (metric, value, unit) => console.log(`${metric},${Math.round(value * 10) / 10},${unit}`);
const share = (times, part) => [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))];

const box = await startBox({ site: SITE, ports: 2 * CALLS + 40 });
const phones = [];
const browser = await launch();
try {
  await box.admin();
  for (let i = 0; i < CALLS; i++) {
    const phone = await new Phone(box, '101', 'test-only-101-secret').open();
    phones.push(phone);
    await phone.call('*43');
  }
  say('pages.calls_up', (await box.ask('GET', '/calls')).json.length, 'calls');
  const seat = await visit(browser, box);
  await login(seat);
  await firstLoad(seat);
  const cdp = await seat.page.context().newCDPSession(seat.page);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  await opening(seat.page);
  const viewers = await Promise.all(Array.from({ length: VIEWERS - 1 }, () => visit(browser, box)));
  for (const viewer of viewers) {
    await login(viewer);
    await viewer.go('/calls');
  }
  await telling(seat);
  await signingIn();
} catch (error) {
  // Said before anything is closed: closing may hang when the box or the browser is gone.
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const phone of phones) phone.close();
  await browser.close();
  await box.stop();
}

/** Bytes on the wire until the overview stands, nothing in the cache. */
async function firstLoad({ page }) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  cdp.on('Network.loadingFinished', (event) => (bytes += event.encodedDataLength));
  await page.goto(`${box.url}/`, { waitUntil: 'networkidle' });
  say('pages.first_load', bytes / 1000, 'kB');
  await cdp.detach();
}

/** From the click to the page with its data, through all pages: first right after the first page of all, when the browser
    has none of their files, then when it has them, as for whoever has looked at the first page for some seconds. */
async function opening(page) {
  const round = async (times) => {
    for (const where of PAGES) times.push([await page.evaluate(open, where), where]);
  };
  const tell = (metric, times) => {
    const only = times.map(([ms]) => ms);
    say(`pages.${metric}_p50`, share(only, 0.5), 'ms');
    say(`pages.${metric}_p95`, share(only, 0.95), 'ms');
    if (process.env.DETAIL) for (const [ms, where] of times.sort((a, b) => b[0] - a[0])) console.log(`  ${where} ${Math.round(ms)}`);
  };
  const cold = [];
  await round(cold);
  tell('first_open', cold);
  await page.waitForLoadState('networkidle');
  await page.waitForTimeout(8_000);
  const times = [];
  for (let i = 0; i < ROUNDS; i++) await round(times);
  tell('open', times);
}

function open(where) {
  return new Promise((resolve) => {
    const start = performance.now();
    history.pushState(null, '', where);
    dispatchEvent(new PopStateEvent('popstate'));
    const look = () => {
      const main = document.querySelector('main:not([aria-busy="true"])');
      // The text of the tree, not what is laid out: asking must not cost what it measures.
      const there = main?.querySelector('h1') && !/Loading…|Asking the box/.test(main.textContent);
      if (!there) return requestAnimationFrame(look);
      // With its layout.
      void main.offsetHeight;
      resolve(performance.now() - start);
    };
    requestAnimationFrame(look);
  });
}

/** From a hang-up at the box to the row that is gone, with all viewers looking. */
async function telling({ page, go }) {
  await go('/calls');
  await page.locator('tbody tr').nth(CALLS - 1).waitFor();
  const times = [];
  for (const { call } of (await box.ask('GET', '/calls')).json.slice(0, ROUNDS * 4)) {
    const gone = page.evaluate(
      (rows) =>
        new Promise((resolve) => {
          const look = () => (document.querySelectorAll('tbody tr').length <= rows ? resolve(Date.now()) : requestAnimationFrame(look));
          look();
        }),
      CALLS - times.length - 1,
    );
    const start = Date.now();
    await box.ask('DELETE', `/calls/${call}`);
    times.push((await gone) - start);
  }
  say('pages.viewers', VIEWERS, 'pages');
  say('pages.told_p50', share(times, 0.5), 'ms');
  say('pages.told_p99', share(times, 0.99), 'ms');
}

/** A wrong password and an unknown name, in turns; then what a page waits for while forty people sign in at once. */
async function signingIn() {
  const times = { admin: [], nobody: [] };
  for (let i = 0; i < 20; i++) {
    for (const [name, taken] of Object.entries(times)) taken.push((await tryToSignIn(box, name, `127.0.3.${10 + i}`)).ms);
  }
  say('sign_in.wrong_password_p50', share(times.admin, 0.5), 'ms');
  say('sign_in.unknown_name_p50', share(times.nobody, 0.5), 'ms');
  let busy = true;
  const storm = Promise.all(Array.from({ length: 40 }, (_, i) => tryToSignIn(box, 'admin', `127.0.4.${10 + i}`)));
  void storm.then(() => (busy = false));
  const probes = [];
  do {
    const start = performance.now();
    await box.ask('GET', '/status');
    probes.push(performance.now() - start);
  } while (busy);
  await storm;
  say('sign_in.probe_max', Math.max(...probes), 'ms');
}
