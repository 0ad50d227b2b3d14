import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, parseSearchWith, redirect, stringifySearchWith } from '@tanstack/react-router'
import { NotFound, RouteError, RoutePending } from './shell/route-states'
import { ProjectChooser } from './shell/project-chooser'
import { ProjectFrame } from './shell/project-frame'
import { SignedIn } from './shell/signed-in'
import { integer, text } from './search'

interface Context {
  client: QueryClient
}

const root = createRootRouteWithContext<Context>()({
  component: () => <SignedIn><Outlet /></SignedIn>,
  notFoundComponent: NotFound,
  errorComponent: RouteError,
})

const home = createRoute({ getParentRoute: () => root, path: '/', component: ProjectChooser })
const project = createRoute({ getParentRoute: () => root, path: '$project', component: ProjectFrame })

const projectHome = createRoute({
  getParentRoute: () => project, path: '/',
  component: lazyRouteComponent(() => import('./routes/home-route'), 'HomeRoute'),
})
const pipelines = createRoute({
  getParentRoute: () => project, path: 'pipelines',
  validateSearch: (search: Record<string, unknown>): { q?: string; run?: number } => ({ q: text(search.q), run: integer(search.run) }),
  component: lazyRouteComponent(() => import('./routes/pipelines-route'), 'PipelinesRoute'),
})
const pipeline = createRoute({
  getParentRoute: () => project, path: 'pipelines/$pipelineId',
  component: lazyRouteComponent(() => import('./routes/pipeline-route'), 'PipelineRoute'),
})
const runs = createRoute({
  getParentRoute: () => project, path: 'runs',
  validateSearch: (search: Record<string, unknown>): { pipeline?: number; branch?: string; status?: string } => ({ pipeline: integer(search.pipeline), branch: text(search.branch), status: text(search.status) }),
  component: lazyRouteComponent(() => import('./routes/runs-route'), 'RunsRoute'),
})
const run = createRoute({
  getParentRoute: () => project, path: 'runs/$runId',
  validateSearch: (search: Record<string, unknown>): { tab?: string; stage?: string; record?: string; line?: string } => ({
    tab: text(search.tab), stage: text(search.stage), record: text(search.record), line: text(search.line),
  }),
  component: lazyRouteComponent(() => import('./routes/run-route'), 'RunRoute'),
})
const environments = createRoute({
  getParentRoute: () => project, path: 'environments',
  validateSearch: (search: Record<string, unknown>): { at?: string; cell?: string } => ({ at: text(search.at), cell: text(search.cell) }),
  component: lazyRouteComponent(() => import('./routes/environments-route'), 'EnvironmentsRoute'),
})
const environment = createRoute({
  getParentRoute: () => project, path: 'environments/$environmentId',
  component: lazyRouteComponent(() => import('./routes/environment-route'), 'EnvironmentRoute'),
})
const approvals = createRoute({
  getParentRoute: () => project, path: 'approvals',
  validateSearch: (search: Record<string, unknown>): { show?: string } => ({ show: text(search.show) }),
  component: lazyRouteComponent(() => import('./routes/approvals-route'), 'ApprovalsRoute'),
})
const pools = createRoute({
  getParentRoute: () => project, path: 'pools',
  component: lazyRouteComponent(() => import('./routes/pools-route'), 'PoolsRoute'),
})
const newPipeline = createRoute({
  getParentRoute: () => project, path: 'pipelines/new',
  validateSearch: (search: Record<string, unknown>): { repository?: string } => ({ repository: text(search.repository) }),
  component: lazyRouteComponent(() => import('./routes/new-pipeline-route'), 'NewPipelineRoute'),
})
const settings = createRoute({
  getParentRoute: () => project, path: 'settings',
  validateSearch: (search: Record<string, unknown>): { tab?: string } => ({ tab: text(search.tab) }),
  component: lazyRouteComponent(() => import('./routes/settings-route'), 'SettingsRoute'),
})
const tests = createRoute({
  getParentRoute: () => project, path: 'tests',
  validateSearch: (search: Record<string, unknown>): { pipeline?: number; test?: string } => ({ pipeline: integer(search.pipeline), test: text(search.test) }),
  component: lazyRouteComponent(() => import('./routes/tests-route'), 'TestsRoute'),
})
const library = createRoute({
  getParentRoute: () => project, path: 'library',
  validateSearch: (search: Record<string, unknown>): { group?: string; connection?: string; file?: string } => ({ group: text(search.group), connection: text(search.connection), file: text(search.file) }),
  component: lazyRouteComponent(() => import('./routes/library-route'), 'LibraryRoute'),
})

// Addresses of Azure DevOps lead to the same thing here, so that links in mails and chats go on working.
const azureResults = createRoute({
  getParentRoute: () => project, path: '_build/results',
  validateSearch: (search: Record<string, unknown>): { buildId?: number; t?: string; l?: number } => ({ buildId: integer(search.buildId), t: text(search.t), l: integer(search.l) }),
  beforeLoad: ({ params, search }) => {
    throw search.buildId === undefined
      ? redirect({ to: '/$project/runs', params })
      : redirect({ to: '/$project/runs/$runId', params: { ...params, runId: String(search.buildId) }, search: { record: search.t, line: search.l?.toString() } })
  },
})
const azureBuilds = createRoute({
  getParentRoute: () => project, path: '_build',
  validateSearch: (search: Record<string, unknown>): { definitionId?: number } => ({ definitionId: integer(search.definitionId) }),
  beforeLoad: ({ params, search }) => {
    throw search.definitionId === undefined
      ? redirect({ to: '/$project/pipelines', params }) : redirect({ to: '/$project/pipelines/$pipelineId', params: { ...params, pipelineId: String(search.definitionId) } })
  },
})
const azureEnvironment = createRoute({
  getParentRoute: () => project, path: '_environments/$environmentId',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/$project/environments/$environmentId', params })
  },
})

const tree = root.addChildren([
  home,
  project.addChildren([
    projectHome, pipelines, newPipeline, pipeline, runs, run, environments, environment, approvals, tests, pools, library, settings, azureResults, azureBuilds, azureEnvironment,
  ]),
])

export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree, context: { client }, defaultPreload: 'intent', defaultPendingComponent: RoutePending, defaultErrorComponent: RouteError,
    defaultNotFoundComponent: NotFound, scrollRestoration: true,
    // Values of an address are plain text (line=120-140, not line=%22120-140%22): people read and type them.
    parseSearch: parseSearchWith((value) => value), stringifySearch: stringifySearchWith(String),
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}
