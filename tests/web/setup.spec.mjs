// A new box: the one-time code opens the set-up, the page says what to type into a phone, and a phone that is given just
// that is connected and can call the echo.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBox } from './box.mjs';
import { launch, visit } from './browser.mjs';
import { Phone } from './phone.mjs';

let browser;
let box;
before(async () => {
  browser = await launch();
  box = await startBox();
});
after(async () => {
  await browser?.close();
  await box?.stop();
});

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
