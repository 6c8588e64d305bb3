// Drawn for this page on a grid of 24, strokes of 1.75.
const shapes = {
  plus: "M12 5v14M5 12h14",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4",
  menu: "M4 7h16M4 12h16M4 17h16",
  sidebar: "M5 5h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM9.500 5v14",
  close: "M6 6l12 12M18 6L6 18",
  send: "M12 19V6M6 11.500L12 5.500l6 6",
  stop: "M8 8h8v8H8z",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  check: "M5 12.500l4.500 4.500L19 7.500",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  retry: "M19 12a7 7 0 1 1-2-5M19 4v4h-4",
  branch: "M7 8v8M7 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 20a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17 10c0 4-10 2-10 6",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  left: "M14 6l-6 6 6 6",
  right: "M10 6l6 6-6 6",
  down: "M6 10l6 6 6-6",
  up: "M6 14l6-6 6 6",
  toEnd: "M12 5v13M6 12.500l6 6 6-6",
  document: "M7 3h7l5 5v13H7zM14 3v5h5M10 13h6M10 17h6",
  web: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.500 9.500h.01",
  chart: "M4 20h16M7 16v-5M12 16V6M17 16v-8",
  sliders: "M5 8h8M17 8h2M5 16h2M11 16h8M15 10.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM9 18.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  gear: "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM12 3v2.500M12 18.500V21M3 12h2.500M18.500 12H21M5.600 5.600l1.800 1.800M16.600 16.600l1.800 1.800M18.400 5.600l-1.800 1.800M7.400 16.600l-1.800 1.800",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5",
  upload: "M12 16V5M7 10l5-5 5 5M5 19h14",
  download: "M12 5v11M7 11l5 5 5-5M5 19h14",
  warning: "M12 4l9 16H3zM12 10v4M12 17h.01",
  key: "M8 15a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 11h9M18 11v3M15 11v2",
  command: "M9 9h6v6H9zM9 9V7a2 2 0 1 0-2 2zM15 9h2a2 2 0 1 0-2-2zM15 15v2a2 2 0 1 0 2-2zM9 15H7a2 2 0 1 0 2 2z",
  book: "M5 5c3-1 5-1 7 1 2-2 4-2 7-1v13c-3-1-5-1-7 1-2-2-4-2-7-1zM12 6v13",
  folder: "M4 6h6l2 2h8v11H4z",
  external: "M14 5h5v5M19 5l-8 8M17 14v5H5V7h5",
  sparkle: "M12 4c.6 4.500 3 7 8 8-5 1-7.400 3.500-8 8-.6-4.500-3-7-8-8 5-1 7.400-3.500 8-8z",
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width={name === "more" ? 2.6 : 1.75}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={shapes[name]} />
    </svg>
  );
}

/** The mark: warp threads, and one weft that goes over and under. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" class="mark">
      <rect width="32" height="32" rx="8" class="mark-ground" />
      <g fill="none" stroke-width="2.2" stroke-linecap="round">
        <path d="M7 7v18M13 7v18M19 7v18M25 7v18" class="mark-warp" />
        <path d="M4.500 19c3.500 0 4.500-6.500 8.500-6.500s5 6.500 9 6.500 3.500-2.500 5.500-2.500" class="mark-weft" />
      </g>
    </svg>
  );
}
