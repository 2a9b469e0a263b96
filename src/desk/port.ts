/** Fixed, so that a bookmark keeps working; another is taken while it is not free. */
export const DEFAULT_PORT = 7433;
