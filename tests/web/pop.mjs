// How soon the desk knows the caller, as metric,value,unit lines: tests/web/run pop.mjs [calls] [viewers]
// From the INVITE at the agent's phone to the frame in which the desk shows the caller's name, the queue and the time waited,
// while other pages of the same browser, twenty unless said, look at the live calls.
import { SITE, startBox } from './box.mjs';
import { launch, login, visit } from './browser.mjs';
import { Phone } from './phone.mjs';

const CALLS = Number(process.argv[2] ?? 40);
const VIEWERS = Number(process.argv[3] ?? 20);

const say = (metric, value, unit) => console.log(`${metric},${Math.round(value * 10) / 10},${unit}`);
const box = await startBox({ site: SITE.replace('agents = ["102"]', 'agents = ["102"]\nwrap_up_s = 0') });
const browser = await launch();
const phones = [];
try {
  await box.admin();
  await box.admin('anna', 'agent', { agent: '102', extension: '102' });
  for (const number of ['101', '102']) {
    const phone = await new Phone(box, number, `test-only-${number}-secret`).open();
    phones.push(await phone.register());
  }
  const [customer, agent] = phones;
  await box.ask('POST', '/contacts', { numbers: ['101'], name: 'Li Na', notes: 'Speaks softly.' });
  await box.ask('POST', '/agents/102/login', {});
  for (let i = 0; i < VIEWERS; i++) {
    const viewer = await visit(browser, box);
    await login(viewer);
    await viewer.go('/calls');
  }
  const { page } = await desk();
  const times = [];
  for (let i = 0; i < CALLS; i++) {
    await page.getByText('No call', { exact: true }).waitFor();
    agent.rangAt = undefined;
    const known = page.evaluate(
      () =>
        new Promise((resolve) => {
          const look = () => {
            const text = document.querySelector('section[aria-label="Contact"]')?.textContent ?? '';
            if (text.includes('Li Na') && /main/.test(text) && /0:00/.test(text)) resolve(Date.now());
            else requestAnimationFrame(look);
          };
          look();
        }),
    );
    await customer.call('600');
    times.push((await known) - agent.rangAt);
    await customer.hangUp();
  }
  times.sort((a, b) => a - b);
  const share = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
  say('pop.calls', CALLS, 'calls');
  say('pop.viewers', VIEWERS, 'pages');
  say('pop.p50', share(0.5), 'ms');
  say('pop.p99', share(0.99), 'ms');
  say('pop.max', times.at(-1), 'ms');
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const phone of phones) phone.close();
  await browser.close();
  await box.stop();
}

async function desk() {
  const seat = await visit(browser, box);
  await login(seat, 'anna');
  await seat.page.getByRole('button', { name: 'Pause' }).waitFor();
  return seat;
}
