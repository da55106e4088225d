import Glibc

/// Memory of arrays, aligned to 64 bytes.
enum AlignedMemory {
    /// Bytes of a huge page of x86-64.
    private static let hugePage = 1 << 21

    /// Takes memory, to be given back by `deallocate`.
    ///
    /// The system is asked to put large arrays into huge pages: products read weights in rows that are further apart
    /// than a page, and the processor knows the places of only so many pages.
    static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        guard byteCount >= 4 * hugePage else {
            return UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        }

        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: hugePage)
        // Whole pages only, so that no more memory is taken than was asked for. A wish: without them all is as it was.
        madvise(memory, byteCount / hugePage * hugePage, MADV_HUGEPAGE)
        return memory
    }
}
