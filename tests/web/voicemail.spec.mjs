// A message as the owner of the mailbox handles it: it appears by itself, is heard, marked and deleted, with time to
// think again; somebody else sees nothing of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { login, visit } from './browser.mjs';
import { scene } from './scene.mjs';

let browser;
let box;
let phones;
scene((it) => ({ browser, box, phones } = it), {
  people: [
    ['anna', 'user', { extension: '102' }],
    ['rita', 'user', { extension: '101' }],
    ['sam', 'supervisor'],
  ],
  phones: ['101', '102'],
  answers: false,
});

/** Reception calls Anna, who is busy, waits for the end of the greeting and speaks. */
async function leaveMessage() {
  await phones[0].call('102');
  await phones[0].turn;
  await phones[0].speak(3);
  await phones[0].hangUp();
}
const messages = async () => (await box.ask('GET', '/messages?mailbox=102')).json;

test('the owner hears a message, marks it new again, deletes it and thinks again', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat, 'anna');
  await seat.go('/voicemail');
  await page.getByText('No messages').waitFor();
  await leaveMessage();
  const row = page.getByRole('row').filter({ hasText: 'Reception' });
  await row.getByText('New', { exact: true }).waitFor();

  await row.getByRole('button', { name: 'Show' }).click();
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 0.5);
  await row.getByText('Heard', { exact: true }).waitFor();
  assert.equal((await messages())[0].heard, true);
  await page.getByRole('button', { name: 'Mark as new' }).click();
  await row.getByText('New', { exact: true }).waitFor();
  assert.equal((await messages())[0].heard, false);
  await page.getByRole('button', { name: 'Mark as heard' }).click();
  await row.getByText('Heard', { exact: true }).waitFor();

  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('The message is deleted.').waitFor();
  await page.getByText('No messages').waitFor();
  await page.getByRole('status').getByRole('button', { name: 'Undo' }).click();
  await row.waitFor();
  assert.equal((await messages()).length, 1, 'nothing left the box before the time to think again was over');

  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('No messages').waitFor();
  await page.getByRole('link', { name: 'Call history' }).click();
  await page.getByRole('heading', { level: 1, name: 'Call history' }).waitFor();
  await page.getByRole('link', { name: 'Voicemail' }).click();
  await page.getByText('No messages').waitFor();
  assert.deepEqual(await messages(), []);
  await seat.close();
});

test('nobody sees the message of another mailbox', async () => {
  await leaveMessage();
  await box.until('the message is kept', messages, (kept) => kept.length === 1);
  const seat = await visit(browser, box);
  await login(seat, 'rita');
  await seat.go('/voicemail');
  await seat.page.getByText('No messages').waitFor();
  assert.doesNotMatch(await seat.page.locator('main').innerText(), /Reception/);
  await seat.close();
});

test('an agent’s mailbox is closed to administrators; a supervisor listens, and it is noted', async () => {
  await box.until('the message is kept', messages, (kept) => kept.length === 1);
  const [{ message }] = await messages();
  await box.admin('anna', 'agent', { agent: '102', extension: '102' });
  const status = (page) => page.evaluate(async (id) => (await fetch(`/api/v1/messages/${id}/audio`)).status, message);
  const admin = await visit(browser, box);
  await login(admin);
  await admin.go('/voicemail?mailbox=102');
  await admin.page.getByRole('alert').waitFor();
  assert.doesNotMatch(await admin.page.locator('main').innerText(), /Reception/);
  assert.equal(await status(admin.page), 403);

  const supervisor = await visit(browser, box);
  const { page } = supervisor;
  await login(supervisor, 'sam');
  await supervisor.go('/voicemail');
  await page.getByLabel('Mailbox').selectOption('102');
  await page.getByText('noted in the event log').waitFor();
  const row = page.getByRole('row').filter({ hasText: 'Reception' });
  await row.getByRole('button', { name: 'Show' }).click();
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 0.2);
  assert.equal(await page.getByRole('button', { name: 'Delete', exact: true }).count(), 0);
  await supervisor.close();

  await admin.go('/events');
  await admin.page.getByText('sam listens to message').first().waitFor();
  await admin.close();
  await box.admin('anna', 'user', { extension: '102' });
  assert.equal((await messages())[0].heard, false, 'it is still new for its owner');
});
