// What the tests of the portal do again and again: dialogs, the API beside the page, and the page of a run.
import { eventually, must } from './signed-in.mjs'

/** A page by its address, once it has loaded what it shows. `heading`: one of its headings. */
export const opener = (page, base, project) => async (path, heading) => {
  await page.goto(`${base}/${project}/${path}`)
  await page.getByRole('heading', { name: heading, exact: true }).first().waitFor()
  await settled(page)
}

/** Until nothing on the page is being loaded. */
export const settled = (page) => page.waitForFunction(() => document.querySelector('[aria-label=Loading]') === null)

/** The API with the page's session. */
export function api(page, base) {
  const get = async (path) => {
    const answer = await page.request.get(`${base}${path}`)
    must(answer.ok(), `GET ${path} answered ${answer.status()}`)
    return await answer.json()
  }
  const list = async (path) => (await get(path)).value
  /** Asks until what was done on the page shows there. */
  const shows = (path, accept, what) => eventually(page, () => list(path), accept, (value) => `the API does not show ${what}: ${JSON.stringify(value)}`)
  const becomes = (path, accept) => eventually(page, () => get(path), accept, JSON.stringify)
  return { get, list, shows, becomes }
}

/** Forms in dialogs. `look`: judges the dialog as it stands (see signed-in.mjs). */
export function dialogs(page, look) {
  const dialog = () => page.getByRole('dialog')
  /** The dialog is gone, and the page behind it is there again for assistive technology, too. */
  const gone = async () => {
    await dialog().waitFor({ state: 'detached' })
    await page.waitForFunction(() => document.querySelector('#root[aria-hidden]') === null)
  }
  const button = (name, options = {}) => page.getByRole('button', { name, exact: true, ...options })
  const press = (name) => dialog().getByRole('button', { name, exact: true }).click()
  const field = (name) => dialog().getByRole('textbox', { name: new RegExp(`^${name}`) })
  const complains = (text) => dialog().getByText(text).first().waitFor()
  /** Opens a dialog by its button. */
  const ask = async (name) => {
    await button(name).first().click()
    await dialog().getByRole('heading').first().waitFor()
  }
  /** Presses the button with which the dialog closes. */
  const finish = async (name) => {
    await press(name)
    await gone()
  }
  const remove = async (name, verb = 'Delete') => {
    await ask(`${verb} ${name}`)
    await look('confirm')
    await finish(verb)
  }
  return { dialog, gone, button, press, field, complains, ask, finish, remove }
}

/** The stages, jobs and steps on the page of a run, by a part of their name. `seconds`: how long its states may take. */
export function runPage(page, { seconds = 30 } = {}) {
  const tree = page.getByRole('navigation', { name: 'Jobs and steps' })
  const row = (name) => tree.getByRole('link', { name: new RegExp(`\\b${name}\\b`) }).first()
  const state = (name) => row(name).locator('svg').getAttribute('data-state')
  const reaches = (name, wanted) => eventually(page, () => state(name), (value) => value === wanted, (value) => `${name} is ${value}, not ${wanted}`, seconds)
  /** The run's own state, in the shape beside the title. */
  const runState = async () => (await page.locator('h1 svg').getAttribute('data-state')) ?? ''
  const runReaches = (...wanted) => eventually(page, runState, (value) => wanted.includes(value), (value) => `the run is ${value}, not ${wanted.join(' or ')}`, seconds)
  return { tree, row, state, reaches, runState, runReaches, log: page.getByRole('log') }
}
