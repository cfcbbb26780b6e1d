// A screen on the wall left alone: `tests/web/run soak.mjs [MINUTES]`, by hand. The heap after a collection is taken every
// minute and must not grow: less than 5 MB between the first tenth and the end. The numbers of the queue change all the
// time.
import { SITE, startBox } from './box.mjs';
import { launch, visit } from './browser.mjs';
import { Phone } from './phone.mjs';

const minutes = Number(process.argv[2] ?? 480);
const browser = await launch();
const box = await startBox({ site: SITE });
await box.admin();
const made = await box.ask('POST', '/tokens', { name: 'soak', role: 'wall' });
const screen = await visit(browser, box);
await screen.page.goto(`${box.url}/screen#${made.json.token}`);
await screen.page.getByRole('region', { name: 'main' }).waitFor();
const phone = await new Phone(box, '101', 'test-only-101-secret').open();
await phone.register();
const cdp = await screen.page.context().newCDPSession(screen.page);
await cdp.send('HeapProfiler.enable');
const heap = async () => {
  await cdp.send('HeapProfiler.collectGarbage');
  return (await cdp.send('Runtime.getHeapUsage')).usedSize / 1e6;
};
let first;
let last;
for (let minute = 0; minute < minutes; minute++) {
  // A caller who waits and leaves: the numbers of the board move.
  await phone.call('600');
  await new Promise((done) => setTimeout(done, 55_000));
  const [call] = (await box.ask('GET', '/calls')).json;
  if (call) await box.ask('DELETE', `/calls/${call.call}`);
  await phone.over;
  await new Promise((done) => setTimeout(done, 5_000));
  last = await heap();
  if (minute === Math.floor(minutes / 10)) first = last;
  console.log(`minute ${minute + 1}: heap ${last.toFixed(2)} MB`);
}
phone.close();
await screen.close();
await browser.close();
await box.stop();
const grown = last - (first ?? last);
console.log(`grown by ${grown.toFixed(2)} MB`);
process.exit(grown < 5 ? 0 : 1);
