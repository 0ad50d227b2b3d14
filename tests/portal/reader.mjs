#!/usr/bin/env node
// The portal of somebody who is no administrator: every page opens and says what it has to say, nothing on it would only be refused, an address that
// opens a form for administrators opens none, and the server refuses what the pages do not offer.
//
// Environment: see signed-in.mjs, with a link for such a person; SLIPWAY_PROJECT, SLIPWAY_RUN (a completed run of the pipeline 'main'),
// SLIPWAY_ENVIRONMENT and SLIPWAY_GROUP (ids).
import { api, settled } from './on-page.mjs'
import { environment, must, signedIn } from './signed-in.mjs'

const [project, run, env, group] = environment('SLIPWAY_PROJECT', 'SLIPWAY_RUN', 'SLIPWAY_ENVIRONMENT', 'SLIPWAY_GROUP')
const P = `/${project}`

await signedIn(async ({ page, base, step, look }) => {
  const { list } = api(page, base)
  const [{ id: pipeline }] = await list(`${P}/_apis/pipelines`)

  // [address, heading, what the page says, buttons that are everybody's]
  const everybodys = /^(Run|Run pipeline|Run again|Look back|New token|Revoke .*|Copy.*|Go to .*)$/
  const pages = [
    ['', project, /Nothing waits for a decision/], ['/pipelines', 'Pipelines', /1 pipeline/], [`/pipelines/${pipeline}`, 'main', /What starts it/],
    ['/pipelines/new', 'New pipeline', /^Only administrators create pipelines/], ['/runs', 'Runs', /Nothing runs at the moment/], ['/environments', 'Environments', /No version is in any environment yet/],
    [`/environments/${env}`, 'production', /No version is in production yet/], ['/approvals', 'Approvals', /Nothing waits for a decision/], ['/tests', 'Tests', /published no test results/],
    ['/pools', 'Pools', /The machines that run jobs/], ['/library', 'Library', /Administrators change them\.$/], [`/library?group=${group}`, 'Library', /Administrators change them\.$/],
    ['/library?group=new', 'Library', /Administrators change them\.$/], ['/library?connection=new', 'Library', /Administrators change them\.$/], ['/library?file=new', 'Library', /Administrators change them\.$/],
    ['/settings', 'Settings', /is changed by administrators/], ...['people', 'projects', 'images', 'retention', 'about'].map((tab) => [`/settings?tab=${tab}`, 'Settings', /is changed by administrators/]),
  ]
  for (const [path, heading, says] of pages) {
    await step(`${path === '' ? 'home' : path} offers nothing that would be refused`, async () => {
      await page.goto(`${base}${P}${path}`)
      await page.getByRole('heading', { name: new RegExp(`(^| )${heading}$`) }).first().waitFor() // a state may stand before it
      await settled(page)
      await page.getByText(says).first().waitFor()
      must(await page.getByRole('dialog').count() === 0, 'a form is open')
      const names = await page.locator('main').getByRole('button').evaluateAll((buttons) => buttons.map((one) => one.getAttribute('aria-label') ?? one.textContent ?? ''))
      const forbidden = names.filter((name) => /^(New|Edit|Delete|Remove|Create|Save|Add|Order|Enable|Disable)\b/.test(name) && !everybodys.test(name))
      must(forbidden.length === 0, `the page offers ${forbidden.join(', ')}`)
      must(await page.locator('main').getByRole('alert').count() === 0, 'the page shows an error')
      await look(`reader${path.replaceAll(/[/?=]/g, '-')}`)
    })
  }

  await step('what is everybody\'s works: a run is started from its page', async () => {
    await page.goto(`${base}${P}/runs/${run}`)
    await page.getByRole('button', { name: 'Run again', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Queue run', exact: true }).click()
    await page.waitForURL((url) => new RegExp(`^${P}/runs/\\d+$`).test(url.pathname) && !url.pathname.endsWith(`/${run}`))
  })

  await step('the server refuses what the pages do not offer', async () => {
    const headers = { 'X-Slipway-Request': '1', 'Content-Type': 'application/json' }
    for (const [method, path, data] of [
      ['POST', `${P}/_apis/pipelines`, { name: 'x' }], ['POST', `${P}/_apis/git/repositories`, { name: 'x' }], ['DELETE', `${P}/_apis/build/definitions/${pipeline}`],
      ['POST', `${P}/_apis/pipelines/environments`, { name: 'x' }], ['DELETE', `${P}/_apis/pipelines/environments/${env}`], ['POST', `${P}/_apis/pipelines/checks/configurations`, {}],
      ['POST', `${P}/_apis/distributedtask/variablegroups`, { name: 'x' }], ['DELETE', `${P}/_apis/distributedtask/variablegroups/${group}`],
      ['POST', `${P}/_apis/serviceendpoint/endpoints`, { name: 'x' }], ['POST', `${P}/_apis/distributedtask/securefiles?name=x`, {}], ['PATCH', `${P}/_apis/build/retention`, {}],
      ['DELETE', `${P}/_apis/build/builds/${run}`], ['POST', '/_apis/projects', { name: 'x' }], ['POST', '/_apis/distributedtask/pools', { name: 'x' }], ['PUT', '/_apis/slipway/images', {}],
      ['POST', '/_apis/slipway/identities', { uniqueName: 'x', isAdmin: true }],
    ]) {
      const answer = await page.request.fetch(`${base}${path}`, { method, headers, data: data === undefined ? undefined : JSON.stringify(data) })
      must(answer.status() === 403, `${method} ${path} answered ${answer.status()}: ${await answer.text()}`)
      must(/administrators/.test((await answer.json()).message), `${method} ${path} does not say who may`)
    }
  })
})
