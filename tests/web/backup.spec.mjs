// Backup as an administrator does it: set it up, make one, take it home, bring it back, and be asked twice before a reset.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { login, visit } from './browser.mjs';
import { scene } from './scene.mjs';

const PHRASE = 'four words make sense';
let browser;
let box;
scene((it) => ({ browser, box } = it));

test('a backup is set up, made, downloaded, uploaded and restored', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/backup');
  await page.getByText('No backup yet').waitFor();
  await page.getByRole('link', { name: 'Set schedule and target' }).click();
  await page.getByLabel('Save the site by schedule').check();
  await page.getByLabel('Pass-phrase').fill('too short');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('use at least 12 characters').first().waitFor();
  await page.getByLabel('Pass-phrase').fill(PHRASE);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved. It is in force now.').waitFor();

  await seat.go('/backup');
  await page.getByRole('button', { name: 'Back up now' }).click();
  await page.getByRole('button', { name: 'Restore', exact: true }).waitFor({ timeout: 60_000 });
  const waiting = page.waitForEvent('download');
  await page.getByRole('link', { name: /^Download/ }).click();
  const download = await waiting;
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'belfry-home-')), 'taken-home.belfry');
  await download.saveAs(file);
  assert.match(download.suggestedFilename(), /^web-test-\d{8}-\d{6}\.belfry$/);
  assert.equal(fs.readFileSync(file).subarray(0, 21).toString(), 'age-encryption.org/v1', 'it is locked');

  const { config } = (await box.ask('GET', '/config')).json;
  const berta = { ...config.extension.find((e) => e.number === '102'), name: 'After the backup' };
  await box.ask('PUT', '/config/extension/102', berta);
  await page.locator('input[type=file]').setInputFiles(file);
  const row = page.getByRole('row').filter({ hasText: 'Uploaded' });
  await row.getByRole('button', { name: 'Restore', exact: true }).click({ timeout: 60_000 });
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Pass-phrase').fill('not the right one');
  await dialog.getByRole('button', { name: 'Restore and start again' }).click();
  await dialog.getByText('does not open this backup').waitFor();
  assert.equal((await box.ask('GET', '/config')).json.config.extension.find((e) => e.number === '102').name, 'After the backup');
  await dialog.getByLabel('Pass-phrase').fill(PHRASE);
  await dialog.getByRole('button', { name: 'Restore and start again' }).click();
  await page.getByText(/^Restored: Web test/).waitFor({ timeout: 60_000 });
  for (let tries = 0; ; tries += 1) {
    const name = await box
      .ask('GET', '/config')
      .then((a) => a.json.config.extension.find((e) => e.number === '102').name)
      .catch(() => '');
    if (name === 'Anna Keller') break;
    assert.ok(tries < 300, `the box has ${name}`);
    await new Promise((r) => setTimeout(r, 100));
  }
  fs.rmSync(path.dirname(file), { recursive: true });
  // The box was gone for a moment and signed everybody out: the browser's own complaints of that are right.
  await page.context().close();
});

test('a factory reset is not done by a slip', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/backup/reset');
  const sure = page.getByRole('button', { name: 'Remove everything' });
  assert.equal(await sure.isDisabled(), true);
  await page.getByLabel('Your password').fill('not the right one');
  await page.getByLabel('Type reset to confirm').fill('reset');
  await sure.click();
  await page.getByText('The present password is wrong.').waitFor();
  assert.equal((await box.ask('GET', '/users')).json.length, 1, 'nothing was removed');
  await seat.close();
});
