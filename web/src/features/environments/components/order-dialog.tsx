import { Button } from '@fluentui/react-components'
import { ArrowDown16Regular, ArrowUp16Regular } from '@fluentui/react-icons'
import { useState } from 'react'
import type { MatrixEnvironment } from '@/api/types'
import { FormDialog } from '@/components/form-dialog'
import { keys } from '@/lib/keys'
import { useProject } from '@/lib/project'
import { useSend } from '@/lib/send'
import { saveOrder } from '../api/environments'
import { moved } from '../model/order'
import styles from './order-dialog.module.css'

/** In which order environments stand as columns: the way that a version goes. */
export function OrderDialog({ environments, onClose }: { environments: MatrixEnvironment[]; onClose: () => void }) {
  const project = useProject()
  const [order, setOrder] = useState(environments)
  const [said, setSaid] = useState('')
  const send = useSend(saveOrder(project), [keys.matrix(project)])
  const move = (at: number, by: 1 | -1) => {
    setOrder(moved(order, at, by))
    setSaid(`${order[at]?.name ?? ''} is now at place ${at + by + 1} of ${order.length}`)
  }
  return (
    <FormDialog title="Order of environments" submit="Save order" doing="save the order" busy={send.isPending} error={send.error} onSubmit={() => send.mutate(order, { onSuccess: onClose })} onClose={onClose}>
      <p>From the first that a version reaches to the last.</p>
      <ol className={styles.list}>
        {order.map((one, at) => (
          <li key={one.id}>
            <span className={styles.place} aria-hidden>{at + 1}</span>
            <span className={styles.name}>{one.name}</span>
            <Button type="button" size="small" appearance="subtle" icon={<ArrowUp16Regular />} disabledFocusable={at === 0} aria-label={`Move ${one.name} up`} title="Up" onClick={() => move(at, -1)} />
            <Button type="button" size="small" appearance="subtle" icon={<ArrowDown16Regular />} disabledFocusable={at === order.length - 1} aria-label={`Move ${one.name} down`} title="Down" onClick={() => move(at, 1)} />
          </li>
        ))}
      </ol>
      <span role="status" className="visually-hidden">{said}</span>
    </FormDialog>
  )
}
