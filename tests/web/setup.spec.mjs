// A new box: the one-time code opens the set-up, the page says what to type into a phone, and a phone that is given just
// that is connected and can call the echo.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { PASSWORD, SITE, startBox } from './box.mjs';
import { visit } from './browser.mjs';
import { Phone } from './phone.mjs';
import { scene } from './scene.mjs';

let browser;
let box;
scene((it) => ({ browser, box } = it), { site: null });

test('a new box is set up on one page and its first phone calls the echo', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await seat.go('/');
  await page.getByRole('heading', { level: 1, name: 'Set up this box' }).waitFor();

  await page.getByLabel('Set-up code').fill('WRONG-CODE');
  await page.getByLabel('Password').fill('a short sentence 7');
  await page.getByLabel('Name of the site').fill('Hotel am Markt');
  await page.getByLabel('Country').selectOption('DE');
  await page.getByRole('button', { name: 'Set up' }).click();
  await page.getByText('This code is not right').waitFor();
  assert.equal(await page.getByLabel('Set-up code').getAttribute('aria-invalid'), 'true');

  const { code } = (await box.ask('GET', '/setup/code')).json;
  await page.getByLabel('Set-up code').fill(code);
  await page.getByRole('button', { name: 'Set up' }).click();
  await page.getByRole('heading', { level: 1, name: 'Ready. Now connect phones' }).waitFor();

  const row = page.getByRole('row').filter({ hasText: '101' });
  const [number, password] = await row.locator('code').allTextContents();
  assert.equal(number, '101');
  assert.ok(password.length >= 12, 'the phone has a random password');
  const others = await page.getByRole('row').filter({ hasText: '102' }).locator('code').allTextContents();
  assert.notEqual(others[1], password, 'each phone has its own');
  assert.match(await page.locator('main').innerText(), new RegExp(`Port\\s+${box.sip}`));

  const phone = await new Phone(box, '101', password).open();
  try {
    await phone.register();
    await row.getByText('connected').waitFor();
    await phone.call('*43');
    await page.getByRole('button', { name: 'Continue to the overview' }).click();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await page.getByText('Hotel am Markt').first().waitFor();
    await page.getByText('1 of 5 extensions have a phone.').waitFor();
    await phone.hangUp();
  } finally {
    phone.close();
  }
  await seat.close();
});

test('the set-up opens only once, and the page then asks for a login', async () => {
  const seat = await visit(browser, box);
  await seat.go('/');
  await seat.page.getByRole('heading', { level: 1, name: 'Log in' }).waitFor();
  await seat.page.getByLabel('User name').fill('admin');
  await seat.page.getByLabel('Password').fill('not the password');
  await seat.page.getByRole('button', { name: 'Log in' }).click();
  await seat.page.getByText('User name or password is wrong.').waitFor();
  await seat.close();
});

test('a new box becomes an old one by its backup, inside the set-up', async () => {
  const phrase = 'four words make sense';
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'belfry-revive-'));
  const old = await startBox({ site: SITE });
  let fresh;
  let seat;
  try {
    await old.admin();
    await old.ask('PUT', '/config/backup', { target: `folder:${folder}`, pass_phrase: phrase });
    await old.ask('POST', '/backups', {});
    const made = () => fs.readdirSync(folder).find((name) => name.endsWith('.belfry'));
    await old.until('the backup is made', () => Promise.resolve(made()), (name) => name !== undefined, 60_000);

    fresh = await startBox();
    seat = await visit(browser, fresh);
    const { page } = seat;
    await seat.go('/');
    await page.getByRole('button', { name: 'Restore a backup instead' }).click();
    await page.getByRole('heading', { level: 1, name: 'Restore a backup' }).waitFor();
    await page.locator('input[type=file]').setInputFiles(path.join(folder, made()));
    await page.getByLabel('Set-up code').fill('WRONG-CODE');
    await page.getByLabel('Pass-phrase').fill(phrase);
    const restore = page.getByRole('button', { name: 'Restore', exact: true });
    await restore.click();
    await page.getByText('This code is not right').waitFor();
    await page.getByLabel('Set-up code').fill((await fresh.ask('GET', '/setup/code')).json.code);
    await page.getByLabel('Pass-phrase').fill('not the right one');
    await restore.click();
    await page.getByText('does not open this backup').waitFor();
    await page.getByLabel('Pass-phrase').fill(phrase);
    await restore.click();
    await page.getByRole('heading', { level: 1, name: 'Log in' }).waitFor({ timeout: 60_000 });
    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Web test').first().waitFor();
    // The box was gone for a moment: the browser's own complaints of that are right.
    await page.context().close();
  } finally {
    await old.stop();
    await fresh?.stop();
    fs.rmSync(folder, { recursive: true });
  }
});
