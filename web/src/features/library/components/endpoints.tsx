import type { ServiceEndpoint } from '@/api/types'
import { DataTable, type Column } from '@/components/data-table'
import { RowActions } from '@/components/row-actions'
import { kindOf } from '../model/endpoint-form'

interface EndpointsProps {
  endpoints: ServiceEndpoint[]
  /** Absent: the reader may not change them. */
  onEdit?: (endpoint: ServiceEndpoint) => void
  onRemove?: (endpoint: ServiceEndpoint) => void
}

export function Endpoints({ endpoints, onEdit, onRemove }: EndpointsProps) {
  const columns: Column<ServiceEndpoint>[] = [
    { header: 'Connection', cell: (one) => <span title={one.description ?? one.name}>{one.name}</span> },
    { header: 'Type', width: '144px', from: 'small', cell: (one) => kindOf(one.type)?.label ?? one.type },
    { header: 'Address', from: 'medium', cell: (one) => <span className="mono" title={one.url}>{one.url}</span> },
    { header: 'Signs in with', from: 'wide', width: '168px', cell: (one) => schemes[one.authorization?.scheme ?? ''] ?? one.authorization?.scheme ?? '' },
    ...(onEdit === undefined ? [] : [{
      header: 'Change', hideHeader: true, width: '88px', align: 'right' as const,
      cell: (one: ServiceEndpoint) => <RowActions name={one.name} onEdit={() => onEdit(one)} onRemove={() => onRemove?.(one)} />,
    }]),
  ]
  return <DataTable label="Service connections" columns={columns} items={endpoints} keyOf={(one) => one.id} rowHeight={40} />
}

const schemes: Record<string, string> = { None: 'nothing', UsernamePassword: 'user and password', Kubernetes: 'kubeconfig', Token: 'a token' }
