import Glibc
import Synchronization

/// Memory of arrays, aligned to 64 bytes.
enum AlignedMemory {
    /// Bytes of a huge page of x86-64.
    private static let hugePage = 1 << 21

    /// Allocates memory, to be freed by `deallocate`.
    ///
    /// Large arrays are put into huge pages if possible: products read rows of weights further apart
    /// than a page, and the processor caches the addresses of only so many pages.
    static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        guard byteCount >= 4 * hugePage else {
            return UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        }

        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: hugePage)
        // Whole huge pages only, so that no more memory is taken than requested. Only a hint.
        madvise(memory, byteCount / hugePage * hugePage, MADV_HUGEPAGE)
        return memory
    }

    /// Blocks of scratch memory that were given back, oldest first: they are handed out again to requests of the same size.
    /// The system takes longer to map new pages and to fill them with zeros than many a loop to fill them with results.
    private static let idle = Mutex<[Idle]>([])

    private struct Idle: @unchecked Sendable {
        let start: UnsafeMutableRawPointer
        let byteCount: Int
    }

    /// Sizes that are kept, and bytes at most.
    private static let keptSizes = 1 << 20...1 << 25
    private static let mostKept = 1 << 26

    /// Allocates memory that holds anything, to be freed by `release`.
    static func take(byteCount: Int) -> UnsafeMutableRawPointer {
        guard keptSizes.contains(byteCount) else { return allocate(byteCount: byteCount) }
        let found: Idle? = idle.withLock { idle in
            idle.lastIndex { $0.byteCount == byteCount }.map { idle.remove(at: $0) }
        }
        return found?.start ?? allocate(byteCount: byteCount)
    }

    /// Gives memory of `take` back.
    static func release(_ start: UnsafeMutableRawPointer, byteCount: Int) {
        guard keptSizes.contains(byteCount) else { return start.deallocate() }
        let dropped = idle.withLock { idle in
            idle.append(Idle(start: start, byteCount: byteCount))
            var dropped: [Idle] = []
            while idle.reduce(0, { $0 + $1.byteCount }) > mostKept { dropped.append(idle.removeFirst()) }
            return dropped
        }
        for block in dropped { block.start.deallocate() }
    }
}
