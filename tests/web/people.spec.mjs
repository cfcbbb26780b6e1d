// Who may sign in, programs with tokens, the mail server and banned addresses: each switched on and off by its form, and
// the box obeys at once.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { login, visit } from './browser.mjs';
import { Phone } from './phone.mjs';
import { scene } from './scene.mjs';

/** Wrong passwords that are weighed before an address is banned, and some more. */
const GUESSES = 30;
const STRANGER = '127.0.0.66';

let browser;
let box;
let seat;
after(() => seat?.close());
scene(async (it) => {
  ({ browser, box } = it);
  seat = await visit(browser, box);
  await login(seat);
});

test('a password replaced in the form ends the sessions of that user; only the new one opens', async () => {
  await box.admin('olga', 'user', { extension: '101' });
  const olga = await visit(browser, box);
  await login(olga, 'olga');

  const { page } = seat;
  await seat.go('/settings/users');
  await page.getByRole('button', { name: 'Edit: olga' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('New password').fill('short');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.locator('[aria-invalid="true"]').waitFor();
  await form.getByLabel('New password').fill('another sentence 8');
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The user is saved.').waitFor();

  await olga.page.getByRole('heading', { level: 1, name: 'Log in' }).waitFor();
  await olga.page.getByLabel('User name').fill('olga');
  await olga.page.getByLabel('Password').fill('a short sentence 7');
  await olga.page.getByRole('button', { name: 'Log in' }).click();
  await olga.page.getByText('User name or password is wrong.').waitFor();
  await login(olga, 'olga', 'another sentence 8');
  await olga.close();
});

test('a token is shown once, opens the interface with its role, and no longer when it is revoked', async () => {
  const { page } = seat;
  await seat.go('/settings/tokens');
  await page.getByText('No tokens yet').waitFor();
  await page.getByRole('button', { name: 'New token' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Name').fill('wallboard');
  await form.getByLabel('Role').selectOption('supervisor');
  await form.getByRole('button', { name: 'New token' }).click();
  const token = await page.getByRole('alert').locator('code').innerText();
  const asks = async (where) => {
    const program = await browser.newContext({ ignoreHTTPSErrors: true, extraHTTPHeaders: { authorization: `Bearer ${token}` } });
    const answer = await program.request.get(`${box.url}/api/v1${where}`);
    await program.close();
    return answer.status();
  };
  assert.deepEqual([await asks('/calls'), await asks('/users')], [200, 403], 'what a supervisor may, and no more');

  await page.reload();
  const row = page.getByRole('row').filter({ hasText: 'wallboard' });
  await row.waitFor();
  assert.equal(await page.getByText(token).count(), 0);
  await row.getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('Token wallboard is revoked.').waitFor();
  assert.equal(await asks('/calls'), 401);
});

test('mail is switched on with its server, and off again', async () => {
  const { page } = seat;
  const mail = async () => (await box.ask('GET', '/config')).json.config.mail;
  await seat.go('/settings/mail');
  const on = page.getByLabel('Send voicemail messages by mail');
  await on.check();
  await page.getByLabel('Mail server').fill('mail.example.com');
  await page.getByLabel('Sender address').fill('pbx@example.com');
  const save = page.getByRole('button', { name: 'Save', exact: true });
  await save.click();
  await page.getByText('Saved. It is in force now.').waitFor();
  const { host, from, security } = await mail();
  assert.deepEqual([host, from, security], ['mail.example.com', 'pbx@example.com', 'starttls']);
  await on.uncheck();
  await save.click();
  await box.until('the mail section is gone', mail, (m) => !m);
});

test('an address that guesses passwords appears as banned and is pardoned by a button', async () => {
  const { page } = seat;
  await seat.go('/events/bans');
  await page.getByText('No address is banned').waitFor();
  const stranger = await new Phone(box, '101', 'not the password', { host: STRANGER }).open();
  const guesses = Array.from({ length: GUESSES }, () => stranger.register().catch(() => undefined));
  const row = page.getByRole('row').filter({ hasText: STRANGER });
  await row.getByRole('button', { name: 'Lift the ban' }).click();
  await page.getByText(`${STRANGER} is answered again.`).waitFor();
  await page.getByText('No address is banned').waitFor();
  assert.deepEqual((await box.ask('GET', '/bans')).json, []);
  stranger.close();
  await Promise.all(guesses);
});
