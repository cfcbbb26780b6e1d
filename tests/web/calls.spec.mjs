// A call as a supervisor sees it: placed by a form, live while it runs, its recording paused, hung up by a button,
// afterwards one line of the history that opens into its steps and its recording, which plays.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { login, visit } from './browser.mjs';
import { scene } from './scene.mjs';

let browser;
let box;
let phones;
scene((it) => ({ browser, box, phones } = it), { phones: ['101', '102'] });

test('a call is seen live, hung up, and found in the history with journey and recording', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await page.getByText('2 of 2 extensions have a phone.').waitFor();
  await seat.go('/calls');
  await page.getByText('No call at the moment').waitFor();

  await phones[0].call('102');
  const row = page.getByRole('row').filter({ hasText: 'Reception' });
  await row.getByText('Talking').waitFor();
  assert.match(await row.innerText(), /Anna Keller/);
  await row.getByText('Recording', { exact: true }).waitFor();
  // Long enough to hear something of it.
  await page.waitForFunction(() => /0:0[3-9]/.test(document.querySelector('tbody')?.textContent ?? ''));
  await row.getByRole('button', { name: /^Hang up the call/ }).click();
  await page.getByText('No call at the moment').waitFor();
  await phones[0].over;

  await seat.go('/history');
  const line = page.getByRole('row').filter({ hasText: 'Reception' });
  await line.getByText('Answered').waitFor();
  await line.getByRole('button', { name: 'Show' }).click();
  const journey = page.locator('.journey');
  await journey.getByText('102 answered').waitFor();
  const steps = await journey.locator('ol li').allInnerTexts();
  assert.ok(steps.length >= 3, `the journey has its steps: ${steps}`);
  assert.match(steps[0], /^\+0\.0 s/);
  assert.match(steps.at(-1), /Ended/);

  await journey.getByRole('button', { name: 'Play', exact: true }).click();
  await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 0.5);
  const heard = await page.evaluate(() => document.querySelector('audio').duration);
  assert.ok(heard > 2, `the recording holds the call: ${heard} s`);
  await journey.getByRole('button', { name: 'Pause', exact: true }).click();
  await journey.getByRole('button', { name: 'Back 10 seconds' }).click();
  await page.waitForFunction(() => document.querySelector('audio').currentTime === 0);

  await page.getByLabel('All outcomes').or(page.getByLabel('Outcome')).first().selectOption('busy');
  await page.getByText('No call fits these filters').waitFor();
  assert.match(page.url(), /outcome=busy/, 'filters stand in the address');
  await seat.close();
});

test('a call is placed from the page; every page sees that its recording is paused', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/calls');
  await page.getByText('No call at the moment').waitFor();
  await page.getByRole('button', { name: 'Place a call' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Phone that rings first').fill('101');
  await form.getByLabel('Number to call').fill('999');
  await form.getByRole('button', { name: 'Call', exact: true }).click();
  await page.getByText('No call at the moment').waitFor();

  await page.getByRole('button', { name: 'Place a call' }).click();
  await form.getByLabel('Phone that rings first').fill('101');
  await form.getByLabel('Number to call').fill('102');
  await form.getByRole('button', { name: 'Call', exact: true }).click();
  const row = page.getByRole('row').filter({ hasText: 'Anna Keller' });
  await row.getByText('Recording', { exact: true }).waitFor();

  const other = await visit(browser, box);
  await login(other);
  await other.go('/calls');
  await row.getByRole('button', { name: 'Pause recording' }).click();
  const there = other.page.getByRole('row').filter({ hasText: 'Anna Keller' });
  await there.getByText('Recording paused').waitFor();
  await there.getByRole('button', { name: 'Resume recording' }).click();
  await row.getByText('Recording', { exact: true }).waitFor();
  await other.close();

  await row.getByRole('button', { name: /^Hang up the call/ }).click();
  await page.getByText('No call at the moment').waitFor();
  await Promise.all(phones.map((phone) => phone.over));
  await seat.close();
});

test('an agent logs in from the page and the queue sees it at once', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/queues/agents');
  const row = page.getByRole('row').filter({ hasText: 'Anna Keller' });
  await row.getByRole('button', { name: 'Log in' }).click();
  await row.getByText('Ready', { exact: true }).waitFor();
  await row.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'lunch' }).click();
  await row.getByText('Not ready').waitFor();
  await row.getByText('lunch').waitFor();
  await seat.close();
});

test('a lost link greys the numbers and says since when; afterwards they are live again', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await page.routeWebSocket(/\/api\/v1\/live/, (ws) => {
    const server = ws.connectToServer();
    seat.cut = () => Promise.all([ws.close(), server.close()]);
    if (seat.down) void seat.cut();
  });
  await login(seat);
  await page.getByText('2 of 2 extensions have a phone.').waitFor();
  seat.down = true;
  await seat.cut();
  await page.getByText('The connection to the box is lost').waitFor();
  seat.down = false;
  await page.getByText('The connection to the box is lost').waitFor({ state: 'hidden' });
  await seat.close();
});
