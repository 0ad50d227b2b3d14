import { Button, Field, Input, Select } from '@fluentui/react-components'
import { Add16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ImageMapping, Pool } from '@/api/types'
import { TwoLines } from '@/components/cells'
import { DataTable, type Column } from '@/components/data-table'
import { Empty } from '@/components/empty'
import { FormDialog } from '@/components/form-dialog'
import { Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { RemoveDialog } from '@/components/remove-dialog'
import { RowActions } from '@/components/row-actions'
import { keys } from '@/lib/keys'
import { useSend } from '@/lib/send'
import { imagesQuery, mapImage, unmapImage } from '../api/settings'

/** Which pool takes the jobs that name a vmImage, as files written for hosted machines do. */
export function Images({ pools, admin }: { pools: Pool[]; admin: boolean }) {
  const images = useQuery(imagesQuery)
  const [editing, setEditing] = useState<ImageMapping | 'new'>()
  const [removing, setRemoving] = useState<ImageMapping>()
  const poolName = (id: number) => pools.find((pool) => pool.id === id)?.name ?? String(id)
  const columns: Column<ImageMapping>[] = [
    { header: 'vmImage', cell: (one) => (one.vmImage === '*' ? <TwoLines top={<code>*</code>} below="any other name" title="any other name, and jobs without a pool" /> : <code>{one.vmImage}</code>) },
    { header: 'Pool', width: '34%', cell: (one) => poolName(one.poolId) },
    ...(admin ? [{
      header: 'Change', hideHeader: true, width: '88px', align: 'right' as const,
      cell: (one: ImageMapping) => <RowActions name={one.vmImage} onEdit={() => setEditing(one)} onRemove={() => setRemoving(one)} />,
    }] : []),
  ]
  return (
    <Section title="Images" aside={admin && <Button size="small" icon={<Add16Regular />} onClick={() => setEditing('new')}>New mapping</Button>}>
      <QueryView query={images} doing="list the images">
        {({ value }) => value.length === 0
          ? <Empty title="No image name leads to a pool." example={'pool:\n  vmImage: ubuntu-latest'}>A file that was written for hosted machines names an image. Say which pool takes its jobs:</Empty>
          : <DataTable label="Images" columns={columns} items={value} keyOf={(one) => one.vmImage} rowHeight={44} />}
      </QueryView>
      {editing !== undefined && <ImageDialog mapping={editing === 'new' ? undefined : editing} pools={pools} onClose={() => setEditing(undefined)} />}
      {removing !== undefined && (
        <RemoveDialog
          title={`Delete the mapping of ${removing.vmImage}?`} consequence={removing.vmImage === '*' ? 'Jobs whose image has no mapping of its own then wait for ever.' : 'Its jobs then go where "*" leads.'} doing="delete the mapping"
          remove={unmapImage(removing.vmImage)} stale={[keys.images, keys.pools]} onClose={() => setRemoving(undefined)}
        />
      )}
    </Section>
  )
}

function ImageDialog({ mapping, pools, onClose }: { mapping: ImageMapping | undefined; pools: Pool[]; onClose: () => void }) {
  const [vmImage, setVmImage] = useState(mapping?.vmImage ?? '')
  const [pool, setPool] = useState(String(mapping?.poolId ?? pools[0]?.id ?? ''))
  const [tried, setTried] = useState(false)
  const send = useSend(mapImage, [keys.images, keys.pools])
  const submit = () => {
    setTried(true)
    if (vmImage.trim() !== '') send.mutate({ vmImage: vmImage.trim(), poolId: Number(pool) }, { onSuccess: onClose })
  }
  return (
    <FormDialog title={mapping === undefined ? 'New mapping' : `Image ${mapping.vmImage}`} submit={mapping === undefined ? 'Add mapping' : 'Save mapping'} doing="save the mapping" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose}>
      <Field label="vmImage" required hint='As the file has it; "*" is every other name.' {...(tried && vmImage.trim() === '' ? { validationMessage: 'Which name?' } : {})}>
        <Input value={vmImage} autoFocus={mapping === undefined} disabled={mapping !== undefined} placeholder="ubuntu-latest" onChange={(_, { value }) => setVmImage(value)} />
      </Field>
      <Field label="Pool"><Select value={pool} onChange={(_, { value }) => setPool(value)}>{pools.map((one) => <option key={one.id} value={String(one.id)}>{one.name}</option>)}</Select></Field>
    </FormDialog>
  )
}
