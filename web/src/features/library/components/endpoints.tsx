import type { ServiceEndpoint } from '@/api/types'
import { DataTable, type Column } from '@/components/data-table'
import { StateLabel } from '@/components/state-icon'

const kinds: Record<string, string> = { dockerregistry: 'Docker registry', kubernetes: 'Kubernetes', dockerhost: 'Docker host', git: 'Git', generic: 'Generic' }

const columns: Column<ServiceEndpoint>[] = [
  { header: 'Connection', cell: (one) => <span title={one.description ?? one.name}>{one.name}</span> },
  { header: 'Type', width: '144px', cell: (one) => kinds[one.type.toLowerCase()] ?? one.type },
  { header: 'Address', from: 'medium', cell: (one) => <span className="mono" title={one.url}>{one.url}</span> },
  { header: 'Signs in with', from: 'wide', width: '168px', cell: (one) => one.authorization?.scheme ?? '' },
  { header: 'State', from: 'medium', width: '112px', cell: (one) => one.isReady === false ? <StateLabel state="waiting" word="Not ready" /> : <StateLabel state="succeeded" word="Ready" /> },
]

export function Endpoints({ endpoints }: { endpoints: ServiceEndpoint[] }) {
  return <DataTable label="Service connections" columns={columns} items={endpoints} keyOf={(one) => one.id} rowHeight={36} />
}
