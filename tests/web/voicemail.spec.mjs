// A message as the owner of the mailbox handles it: it appears by itself, is heard, marked and deleted, with time to
// think again; somebody else sees nothing of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SITE } from './box.mjs';
import { login, visit } from './browser.mjs';
import { scene } from './scene.mjs';

const of102 = (more) => `password = "test-only-102-secret"\nrecord = "always"\n[extension.voicemail]\n${more}`;
// Agent 102 works at the phone of the mailbox; until the last test it is the office's.
const SITE_WITH_SHARED_MAILBOX = SITE.replace(of102(''), of102('shared = true\n'));

let browser;
let box;
let phones;
scene((it) => ({ browser, box, phones } = it), {
  site: SITE_WITH_SHARED_MAILBOX,
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

test('an agent’s mailbox is closed to administrators, sign-in or not; a supervisor listens, and it is noted', async () => {
  const [{ message }] = await box.until('the message is kept', messages, (kept) => kept.length === 1);
  const status = (page) => page.evaluate(async (id) => (await fetch(`/api/v1/messages/${id}/audio`)).status, message);
  const admin = await visit(browser, box);
  await login(admin);
  await admin.go('/voicemail');
  await admin.page.getByRole('row').filter({ hasText: 'Reception' }).waitFor();
  assert.equal(await status(admin.page), 200, 'the office’s mailbox is open');

  await admin.go('/extensions/102');
  await admin.page.getByLabel('The office’s mailbox').uncheck();
  await admin.page.getByRole('button', { name: 'Save', exact: true }).click();
  await admin.page.getByText('Saved. It is in force now.').waitFor();
  assert.equal((await box.ask('GET', '/messages?mailbox=102')).status, 403);
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
  await row.getByText('New', { exact: true }).waitFor();
  await row.getByRole('button', { name: 'Show' }).click();
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 0.2);
  assert.equal(await page.getByRole('button', { name: 'Delete', exact: true }).count(), 0);
  await row.getByText('New', { exact: true }).waitFor();
  await supervisor.close();

  await admin.go('/events');
  await admin.page.getByText('sam listens to message').first().waitFor();
  await admin.close();
});
