#!/usr/bin/env node
// Every page of a project and every dialog that opens from one, as somebody meets it who has come with a keyboard, a narrow window or a dark room:
// WCAG 2.2 AA in both themes, each place reached by the Tab key and showing the focus, nothing wider than the window at 390 pixels.
//
// Environment: SLIPWAY_URL, SLIPWAY_SIGN_IN, SLIPWAY_PROJECT (with an environment), SLIPWAY_RUN (a finished run with tests and artifacts), SLIPWAY_LIVE
// (a run that goes on and writes a log, while another of its jobs waits); optional SLIPWAY_PICTURES.
import { walk } from './keyboard.mjs'
import { api, dialogs, settled } from './on-page.mjs'
import { environment, eventually, must, signedIn } from './signed-in.mjs'

const [project, run, live] = environment('SLIPWAY_PROJECT', 'SLIPWAY_RUN', 'SLIPWAY_LIVE')

await signedIn(async ({ page, base, step, look, browser }) => {
  const { button, ask, finish, dialog, gone } = dialogs(page, look)
  const P = `/${project}`
  const open = async (path) => {
    await page.goto(base + path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await settled(page)
  }
  const { list } = api(page, base)
  const [pipeline] = await list(`${P}/_apis/pipelines`)
  const [place] = await list(`${P}/_apis/pipelines/environments`)
  const pages = {
    projects: '/', home: P, pipelines: `${P}/pipelines`, pipeline: `${P}/pipelines/${pipeline.id}`, 'new-pipeline': `${P}/pipelines/new`, runs: `${P}/runs`,
    'run-live': `${P}/runs/${live}`, run: `${P}/runs/${run}`,
    ...Object.fromEntries(['changes', 'artifacts', 'tests', 'deployments', 'timeline', 'yaml'].map((tab) => [`run-${tab}`, `${P}/runs/${run}?tab=${tab}`])),
    environments: `${P}/environments`, environment: `${P}/environments/${place.id}`, approvals: `${P}/approvals`, 'approvals-all': `${P}/approvals?show=all`, tests: `${P}/tests`, library: `${P}/library`, pools: `${P}/pools`,
    ...Object.fromEntries(['tokens', 'people', 'projects', 'images', 'retention', 'about'].map((tab) => [`settings-${tab}`, `${P}/settings?tab=${tab}`])),
    'no-such-page': `${P}/nothing`,
  }
  for (const [name, path] of Object.entries(pages)) {
    await step(`${name}: in both themes, by the Tab key, at 390 pixels`, async () => {
      await open(path)
      await look(name)
      must((await walk(page, name)) > 0, `${name}: the Tab key reaches nothing`)
      await page.setViewportSize({ width: 390, height: 844 })
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      must(over <= 0, `${name} scrolls ${over} pixels sideways`)
      await look(`${name}-390`, ['light'])
      await page.setViewportSize({ width: 1440, height: 900 })
    })
  }

  const forms = [
    ['pipelines', `Run ${pipeline.name}`], ['pipeline', 'Edit pipeline'], ['pipeline', 'Delete', 'Keep'], ['environments', 'New environment'],
    ['environment', 'Edit environment'], ['environment', 'Delete', 'Keep'], ['environment', 'New resource'], ['environment', 'New check'],
    ['library', 'New variable group'], ['library', 'New connection'], ['library', 'New secure file'], ['pools', 'New pool'], ['pools', 'Edit pool Default'],
    ['settings-tokens', 'New token'], ['settings-people', 'New person'], ['settings-images', 'New mapping'], ['settings-projects', 'New project'],
  ]
  for (const [where, name, leave = 'Cancel'] of forms) {
    await step(`the dialog "${name}" of ${where}: opened, walked through and left by the keyboard`, async () => {
      await open(pages[where])
      await button(name).first().focus()
      await page.keyboard.press('Enter')
      await dialog().getByRole('heading').first().waitFor()
      await settled(page)
      await look(`dialog-${name.replaceAll(' ', '-')}`)
      await walk(page, name)
      await page.keyboard.press('Escape')
      await gone()
      await eventually(page, () => button(name).first().evaluate((one) => one === document.activeElement), Boolean, () => `${name}: the focus does not come back to its button`)
      await ask(name)
      await finish(leave)
    })
  }

  await step('the menu of the person and the keys, by the keyboard', async () => {
    await open(P)
    await page.getByRole('banner').getByRole('button').last().focus()
    await page.keyboard.press('Enter')
    await page.getByRole('menu').first().waitFor()
    await look('person-menu')
    await page.keyboard.press('Escape')
    await page.getByRole('menu').first().waitFor({ state: 'detached' })
    await page.keyboard.press('?')
    await dialog().getByRole('heading').first().waitFor()
    await look('keys')
    await page.keyboard.press('Escape')
    await gone()
  })
  await step('a page that could not be fetched says so, and comes by itself when the server is back', async () => {
    // In a context of its own: what the browser says of the lost connection is no complaint.
    const context = await browser.newContext({ storageState: await page.context().storageState() })
    const other = await context.newPage()
    await other.goto(base + P)
    await other.getByRole('heading', { level: 1, name: project }).waitFor()
    await context.setOffline(true)
    await other.getByRole('link', { name: 'Library', exact: true }).click()
    await other.getByText('Could not fetch a part of the portal.').waitFor()
    await context.setOffline(false)
    await other.getByRole('heading', { level: 1, name: 'Library' }).waitFor()
    await context.close()
  })
  await step('what does not exist says so, with a heading', async () => {
    await page.goto(`${base}${P}/environments/999999`)
    await page.getByRole('heading', { level: 1, name: 'There is no such environment' }).waitFor()
    await look('no-such-environment')
  })
})
