import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { pendingApprovalsQuery } from '@/features/approvals/api/approvals'
import { places } from './places'
import styles from './frame.module.css'

interface RailProps {
  project: string
  /** On narrow screens the rail lies over the page while it is open. */
  open: boolean
  onClose: () => void
}

export function Rail({ project, open, onClose }: RailProps) {
  const waiting = useQuery(pendingApprovalsQuery(project)).data?.count ?? 0
  return (
    <>
      {open && <button type="button" className={styles.veil} aria-label="Close the menu" onClick={onClose} />}
      <nav className={styles.rail} aria-label="Project" data-open={open || undefined}>
        <Link to="/" activeOptions={{ exact: true }} className={styles.brand} aria-label="Slipway" title="Slipway" onClick={onClose}>
          <img src="/favicon.svg" alt="" width={24} height={24} />
          <span>Slipway</span>
        </Link>
        <ul>
          {places.map(({ name, to, icon: Icon }) => (
            <li key={name}>
              <Link
                to={to} params={{ project }} className={styles.place} activeProps={{ 'aria-current': 'page' }} activeOptions={{ exact: to === '/$project', includeSearch: false }}
                title={name} onClick={onClose}
              >
                <Icon aria-hidden />
                <span className={styles.placeName}>{name}</span>
                {name === 'Approvals' && waiting > 0 && <span className={styles.badge} aria-label={`${waiting} waiting`}>{waiting}</span>}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
    </>
  )
}
