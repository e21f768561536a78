// node page.mjs COMPONENTS URL SCREENSHOT USER PASSWORD: walk djedge's page in Chromium as a person would. Whatever goes wrong, the
// page's own errors and refused requests included, ends the program with an error and leaves a screenshot.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import path from 'node:path'

const [components, url, screenshot, username, password] = process.argv.slice(2)
const { chromium } = createRequire(path.join(components, 'js/'))('playwright-core')
const home = path.join(components, 'chromium')

const browser = await chromium.launch({
  executablePath: path.join(home, 'chromium'),
  env: { ...process.env, LD_LIBRARY_PATH: path.join(home, 'lib'), FONTCONFIG_PATH: home },
  args: ['--headless=shell', '--no-sandbox', '--no-zygote', '--disable-gpu', '--disable-dev-shm-usage'],
})
const context = await browser.newContext()
const page = await context.newPage()
page.setDefaultTimeout(15000)
const errors = []
page.on('pageerror', (error) => errors.push(String(error)))
page.on('requestfailed', (request) => errors.push(`${request.url()}: ${request.failure()?.errorText}`))
page.on('console', (message) => {
  // Chromium reports every 400 as an error, and wrong passwords are part of the walk.
  if (message.type() === 'error' && !/status of 400/.test(message.text())) errors.push(message.text())
})

const heading = (name) => page.getByRole('heading', { name, exact: true })
const form = (name) => page.getByRole('region', { name, exact: true })
const shown = (region, text) => form(region).getByText(text, { exact: true }).waitFor()

async function fill(name, fields) {
  for (const [label, value] of Object.entries(fields)) await form(name).getByLabel(label, { exact: true }).fill(value)
  await form(name).getByRole('button', { name, exact: true }).click()
}

async function loggedIn(as) {
  await heading('User').waitFor()
  await shown('User', as)
  await shown('Session', '_auth_user_id')
  assert.equal(await heading('Log in').isVisible(), false)
}

async function loggedOut() {
  await heading('Log in').waitFor()
  assert.equal(await heading('User').isVisible(), false)
  assert.equal((await context.cookies()).find((cookie) => cookie.name === 'sessionid'), undefined)
}

async function logOut() {
  await form('User').getByRole('button', { name: 'Log out' }).click()
  await loggedOut()
}

try {
  await page.goto(url)
  await loggedOut()

  await fill('Log in', { Username: username, Password: 'not the password' })
  await shown('Log in', 'Bad username or password')
  await loggedOut()

  await fill('Log in', { Username: username, Password: password })
  await loggedIn(username)
  const cookie = (await context.cookies()).find((each) => each.name === 'sessionid')
  assert.equal(cookie.httpOnly, true)
  assert.equal(cookie.sameSite, 'Lax')
  const text = await page.locator('body').innerText()
  for (const secret of [cookie.value, '_auth_user_hash', 'pbkdf2', 'argon2']) assert.ok(!text.includes(secret), `the page shows ${secret}`)

  await page.reload()
  await loggedIn(username)

  const changed = `${password} 2`
  await fill('Change password', { 'New password': changed, 'New password again': 'something else' })
  await shown('Change password', 'The passwords are not the same.')
  await fill('Change password', { 'New password': changed, 'New password again': changed })
  await loggedOut()
  await fill('Log in', { Username: username, Password: password })
  await shown('Log in', 'Bad username or password')
  await fill('Log in', { Username: username, Password: changed })
  await loggedIn(username)
  await logOut()

  const markup = '<img src=x onerror=alert(1)>'
  await fill('Register', { Username: markup, Password: password, 'Password again': password })
  await form('Register').getByRole('alert').filter({ hasText: /./ }).waitFor()
  const registered = `Zoë.${Date.now()}@example.com`
  await fill('Register', { Username: registered, Password: password, 'Password again': password })
  await loggedIn(registered)
  await logOut()
  await fill('Register', { Username: registered, Password: password, 'Password again': password })
  await shown('Register', 'The username is already in use')

  assert.deepEqual(errors, [])
} catch (error) {
  await page.screenshot({ path: screenshot, fullPage: true }).catch(() => {})
  console.error(errors.join('\n'))
  console.error(error)
  process.exitCode = 1
} finally {
  await browser.close()
}
