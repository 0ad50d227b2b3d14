import { useQuery } from '@tanstack/react-query'
import { Link, useParams, useRouterState } from '@tanstack/react-router'
import type { Matrix, RunDetail } from '@/api/types'
import { keys } from '@/lib/keys'
import { places } from './places'
import styles from './frame.module.css'

/** Server / project / place / object. Names of objects come from what the page has loaded anyway. */
export function Breadcrumb({ project }: { project: string }) {
  const path = useRouterState({ select: (state) => state.location.pathname })
  const params = useParams({ strict: false })
  const place = places.findLast(({ to }) => path.startsWith(to.replace('$project', encodeURIComponent(project))))
  // Only watches the cache: the page itself asks.
  const runId = Number(params.runId)
  const run = useQuery<RunDetail>({ queryKey: keys.run(project, runId), enabled: false })
  const matrix = useQuery<Matrix>({ queryKey: [...keys.matrix(project), 'now'], enabled: false })
  const object = params.runId !== undefined
    ? run.data?.number ?? params.runId
    : params.environmentId !== undefined
      ? matrix.data?.environments.find(({ id }) => id === Number(params.environmentId))?.name ?? params.environmentId
      : undefined
  return (
    <nav aria-label="Breadcrumb" className={styles.crumbs}>
      <ol>
        <li><Link to="/$project" params={{ project }} activeOptions={{ exact: true }}>{project}</Link></li>
        {place !== undefined && place.to !== '/$project' && (
          <li>{object === undefined ? <span aria-current="page">{place.name}</span> : <Link to={place.to} params={{ project }} activeOptions={{ exact: true }}>{place.name}</Link>}</li>
        )}
        {object !== undefined && params.runId !== undefined && run.data !== undefined && (
          <li className={styles.shrinks}><Link to="/$project/runs" params={{ project }} search={{ pipeline: run.data.pipeline.id }}>{run.data.pipeline.name}</Link></li>
        )}
        {object !== undefined && <li><span aria-current="page">{object}</span></li>}
      </ol>
    </nav>
  )
}
