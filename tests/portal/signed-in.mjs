// What every test of the portal against a real server begins with: a browser that is signed in by the one-time link.
//
// Environment: SLIPWAY_URL and SLIPWAY_SIGN_IN (a one-time link); optional SLIPWAY_PICTURES (a folder for pictures of the pages).
import { mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { axeSource, launch } from './browser.mjs'

/** The values of these environment variables; ends the program with status 2 and one sentence when one is missing. */
export function environment(...names) {
  const missing = names.filter((name) => (process.env[name] ?? '') === '')
  if (missing.length > 0) {
    console.error(`${missing.join(', ')} not set; see the top of ${process.argv[1]}`)
    process.exit(2)
  }
  return names.map((name) => process.env[name])
}

export function must(condition, message) {
  if (!condition) throw new Error(message)
}

/**
 * Asks `read` again, frame by frame, until `accept` holds for its answer, which it returns: what follows a click or a key comes when the page has
 * drawn it. Throws what `message` says of the last answer after `seconds`.
 */
export async function eventually(page, read, accept, message, seconds = 30) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const value = await read()
    if (accept(value)) return value
    if (Date.now() > end) throw new Error(message(value))
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)))
  }
}

const out = fileURLToPath(new URL('./out/', import.meta.url))

/**
 * Runs `scenario({ page, base, link, step, accessible, look, picture, browser })` in a signed-in browser and sets the exit status: 0 when every step held and
 * neither the browser nor axe had anything to complain about. `stranger({ page, base, step })` comes before the sign-in; the refusals (401) that
 * it meets are no complaint. With `refusals` neither are 400 and 409: the scenario sends what the server must refuse.
 */
export async function signedIn(scenario, stranger, { refusals = false } = {}) {
  const [url, link] = environment('SLIPWAY_URL', 'SLIPWAY_SIGN_IN')
  const pictures = process.env.SLIPWAY_PICTURES
  mkdirSync(out, { recursive: true })
  if (pictures !== undefined) mkdirSync(pictures, { recursive: true })
  const browser = await launch()
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const complaints = []
  const inaccessible = []
  page.on('pageerror', (error) => complaints.push(`page: ${error.message}`))
  let isStranger = stranger !== undefined
  page.on('console', (message) => { if (message.type() === 'error' && !(isStranger && /status of 401/.test(message.text())) && !(refusals && /status of (400|409)/.test(message.text()))) complaints.push(`console: ${message.text()} ${message.location().url}`) })

  /** Runs a step; when it fails, says so with a picture of what the browser showed instead. */
  const step = async (name, action) => {
    try {
      await action()
    } catch (error) {
      await page.screenshot({ path: `${out}failed.png` })
      throw new Error(`${name}: ${error.message}\n  at ${page.url()}, picture: ${out}failed.png`)
    }
    console.log(`ok  ${name}`)
  }
  const axe = readFileSync(axeSource(), 'utf8')
  const allRules = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }
  /** WCAG A and AA rules of axe on the page as it stands. */
  const accessible = async (name, runOnly = allRules) => {
    // Injected as text: the server's content security policy allows no script of another origin. Once for each document.
    if (!await page.evaluate(() => window.axe !== undefined)) await page.evaluate(axe)
    // Left out: the component library's own focus guards, and the numbers of log lines, which stand as close as the lines do.
    const exclude = ['[data-tabster-dummy]', '[role=log] button[aria-label^="Line "]']
    const { violations } = await page.evaluate((how) => window.axe.run({ include: document, exclude: how.exclude }, { runOnly: how.runOnly, resultTypes: ['violations'] }), { exclude, runOnly })
    const list = violations.map((one) => `${one.id}: ${one.help} (${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join('; ')})`)
    if (list.length > 0) inaccessible.push(`${name}:\n    ${list.join('\n    ')}`)
  }
  const picture = async (name, options = {}) => {
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/${name}.png`, ...options })
  }
  /** Rules that a theme can break: it changes nothing but colours. */
  const colourRules = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }
  /** The page or dialog as it stands, in these themes. */
  const look = async (name, themes = ['dark', 'light']) => {
    for (const [at, theme] of themes.entries()) {
      await page.emulateMedia({ colorScheme: theme })
      await page.waitForFunction((wanted) => document.documentElement.dataset.theme === wanted, theme)
      await accessible(`${name}, ${theme}`, at === 0 ? allRules : colourRules)
      await picture(`${name.replaceAll(' ', '-')}-${theme}`)
    }
  }
  const base = url.replace(/\/$/, '')
  try {
    if (stranger !== undefined) await stranger({ page, base, step })
    isStranger = false
    await step('the one-time link signs in', async () => {
      await page.goto(link)
      await page.getByRole('navigation', { name: 'Project' }).or(page.getByRole('heading', { name: 'Projects' })).first().waitFor()
    })
    await scenario({ page, base, link, step, accessible, look, picture, browser })
    await step('every page is accessible (WCAG 2.2 AA, axe)', () => must(inaccessible.length === 0, inaccessible.join('\n  ')))
    await step('the browser had nothing to complain about', () => must(complaints.length === 0, complaints.join('\n    ')))
  } catch (error) {
    console.error(`not ok  ${error.message}`)
    if (complaints.length > 0) console.error(`  the browser said:\n    ${complaints.join('\n    ')}`)
    process.exitCode = 1
  } finally {
    await browser.close()
  }
}
