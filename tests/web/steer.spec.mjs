// A conversation steered at the desk, whose phone is the browser itself: answer, hold, mute, a colleague asked, taken in, handed
// the customer after asking and without, and the end. Three voices, each with a tone of its own, say who hears whom.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SITE } from './box.mjs';
import { login, violations, visit } from './browser.mjs';
import { scene } from './scene.mjs';
import { SPOKEN, hearsOf, isReady, microphone, region, seatWithPhone, turnOn } from './webphone.mjs';

const CUSTOMER = 400;
const COLLEAGUE = 500;
const SITE_WITH_COLLEAGUE = SITE.replace('agents = ["102"]', 'agents = ["102"]\nwrap_up_s = 0').replace(
  '[[agent]]',
  '[[extension]]\nnumber = "103"\nname = "Ben Ott"\npassword = "test-only-103-secret"\n\n[[agent]]',
);

let browser;
let box;
let customer;
let colleague;
scene((it) => ({ browser, box, phones: [customer, colleague] } = it), {
  site: SITE_WITH_COLLEAGUE,
  people: [['anna', 'agent', { agent: '102', extension: '102' }]],
  phones: ['101', '103'],
  voices: { 101: CUSTOMER, 103: COLLEAGUE },
  flags: microphone(),
});

/** Anna at her desk, ready, with the browser as her phone. */
async function desk() {
  const seat = await visit(browser, box, { allow: ['microphone'] });
  await seatWithPhone(seat);
  await login(seat, 'anna');
  const { page } = seat;
  await turnOn(page);
  const take = page.getByRole('button', { name: 'Use it here' });
  await page.getByText('102 is ready').or(take).waitFor();
  if (await take.isVisible()) await take.click();
  await isReady(page);
  const own = page.getByRole('button', { name: 'Log in', exact: true });
  await own.or(page.getByRole('button', { name: 'Pause' })).waitFor();
  if (await own.isVisible()) await own.click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  const card = page.getByRole('region', { name: 'The call' });
  return { ...seat, card, press: (name) => card.getByRole('button', { name, exact: true }).click() };
}

/** The customer calls the queue; Anna answers at the card. */
async function talk({ page, press }) {
  const called = customer.call('600');
  await press('Answer');
  await called;
  await Promise.all([hearsOf(page, [CUSTOMER], [SPOKEN, COLLEAGUE]), customer.hearsOf([SPOKEN], [CUSTOMER, COLLEAGUE])]);
}

/** Anna has the card ask for a number. */
async function dial({ page, press }, what, number) {
  await press(what);
  const form = page.getByRole('dialog');
  await form.getByLabel('Number or extension').fill(number);
  await form.getByRole('button', { name: 'Call', exact: true }).click();
}

const free = async ({ page, card }) => {
  await isReady(page);
  await card.getByText('No call', { exact: true }).waitFor();
};
const nobodyTalks = () => box.until('no call is left', () => box.ask('GET', '/calls'), (all) => all.json.length === 0);

test('hold and mute: the customer hears music, then nothing of the agent, and each time the agent again', async () => {
  const seat = await desk();
  const { page, card, press } = seat;
  await talk(seat);
  assert.deepEqual(await violations(page), []);
  await press('Hold');
  await card.getByText('The caller hears music').waitFor();
  await Promise.all([hearsOf(page, [], [CUSTOMER]), customer.hearsOf([], [SPOKEN])]);
  await press('Back to the caller');
  await Promise.all([hearsOf(page, [CUSTOMER], []), customer.hearsOf([SPOKEN], [])]);
  await press('Mute');
  await card.getByText('You are muted').waitFor();
  await Promise.all([hearsOf(page, [CUSTOMER], []), customer.hearsOf([], [SPOKEN])]);
  await press('Unmute');
  await customer.hearsOf([SPOKEN], []);
  await press('Hang up');
  await customer.over;
  await free(seat);
  await nobodyTalks();
  await seat.close();
});

test('a colleague is asked, all talk together, and the others go on when the agent leaves', async () => {
  const seat = await desk();
  const { page, press } = seat;
  await talk(seat);
  await dial(seat, 'Ask somebody', '103');
  await Promise.all([
    hearsOf(page, [COLLEAGUE], [CUSTOMER]),
    colleague.hearsOf([SPOKEN], [CUSTOMER]),
    customer.hearsOf([], [SPOKEN, COLLEAGUE]),
  ]);
  await press('All together');
  await Promise.all([
    hearsOf(page, [COLLEAGUE, CUSTOMER], [SPOKEN]),
    colleague.hearsOf([SPOKEN, CUSTOMER], [COLLEAGUE]),
    customer.hearsOf([SPOKEN, COLLEAGUE], [CUSTOMER]),
  ]);
  await press('Hang up');
  await free(seat);
  await Promise.all([colleague.hearsOf([CUSTOMER], [SPOKEN]), customer.hearsOf([COLLEAGUE], [SPOKEN])]);
  await customer.hangUp();
  await colleague.over;
  await nobodyTalks();
  await seat.close();
});

test('the customer is handed to a colleague after asking, and comes back when the agent thinks again', async () => {
  const seat = await desk();
  const { page, press } = seat;
  await talk(seat);
  await dial(seat, 'Ask somebody', '103');
  await hearsOf(page, [COLLEAGUE], [CUSTOMER]);
  await press('Back to the caller');
  await Promise.all([hearsOf(page, [CUSTOMER], [COLLEAGUE]), customer.hearsOf([SPOKEN], []), colleague.over]);
  await dial(seat, 'Ask somebody', '103');
  await hearsOf(page, [COLLEAGUE], [CUSTOMER]);
  await press('Hand over now');
  await Promise.all([colleague.hearsOf([CUSTOMER], [SPOKEN]), customer.hearsOf([COLLEAGUE], [SPOKEN]), free(seat)]);
  await colleague.hangUp();
  await customer.over;
  await nobodyTalks();
  await seat.close();
});

test('the customer is handed over without asking, by the phone’s own buttons, and the agent is free at once', async () => {
  const seat = await desk();
  const { page } = seat;
  await talk(seat);
  const phone = region(page);
  await phone.getByRole('button', { name: 'Transfer', exact: true }).click();
  await phone.getByRole('dialog').getByLabel('Number or extension').fill('103');
  await phone.getByRole('dialog').getByRole('button', { name: 'Call', exact: true }).click();
  await Promise.all([colleague.hearsOf([CUSTOMER], [SPOKEN]), customer.hearsOf([COLLEAGUE], [SPOKEN]), free(seat)]);
  await customer.hangUp();
  await colleague.over;
  await nobodyTalks();
  await seat.close();
});
