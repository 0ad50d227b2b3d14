/** The query cache's keys in one place, so that an event knows what it makes stale. */
export const keys = {
  me: ['me'] as const,
  projects: ['projects'] as const,
  pipelines: (project: string) => ['pipelines', project] as const,
  runs: (project: string) => ['runs', project] as const,
  run: (project: string, id: number) => ['run', project, id] as const,
  matrix: (project: string) => ['matrix', project] as const,
  history: (project: string) => ['history', project] as const,
  approvals: (project: string) => ['approvals', project] as const,
  pools: ['pools'] as const,
  configuration: (project: string) => ['library', project] as const,
  checks: (project: string) => ['checks', project] as const,
}
