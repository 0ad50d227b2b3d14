import type { SecureFile } from '@/api/types'
import { DataTable, type Column } from '@/components/data-table'
import { RowActions } from '@/components/row-actions'
import { Time } from '@/components/time'
import { bytes } from '@/lib/format'

interface SecureFilesProps {
  files: SecureFile[]
  /** Absent: the reader may not change them. */
  onRemove?: (file: SecureFile) => void
}

/** Keys and certificates by name: what is in them leaves the server for jobs alone. */
export function SecureFiles({ files, onRemove }: SecureFilesProps) {
  const columns: Column<SecureFile>[] = [
    { header: 'File', cell: (one) => <span className="mono" title={one.name}>{one.name}</span> },
    { header: 'Size', width: '104px', from: 'small', align: 'right', cell: (one) => bytes(one.size) },
    { header: 'By', width: '24%', from: 'medium', cell: (one) => <span title={one.createdBy?.displayName}>{one.createdBy?.displayName ?? ''}</span> },
    { header: 'Uploaded', width: '128px', from: 'small', align: 'right', cell: (one) => <Time at={one.createdOn} form="sentence" /> },
    ...(onRemove === undefined ? [] : [{
      header: 'Change', hideHeader: true, width: '88px', align: 'right' as const,
      cell: (one: SecureFile) => <RowActions name={one.name} onRemove={() => onRemove(one)} />,
    }]),
  ]
  return <DataTable label="Secure files" columns={columns} items={files} keyOf={(one) => one.id} rowHeight={40} />
}
