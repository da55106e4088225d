internal import Synchronization

/// What one encoding thread needs for itself.
///
/// Sendable because `WorkspacePool` gives each workspace to one caller at a time.
final class EncodingWorkspace: @unchecked Sendable {
    var merger = BytePairMerger()
    var cache = PieceCache()

    /// Appends the tokens of a piece.
    func encode(_ piece: UnsafeBufferPointer<UInt8>, by model: BytePairModel, into ids: inout [TokenID]) {
        if cache.append(piece, to: &ids) { return }
        let start = ids.count
        model.encode(piece, with: &merger, into: &ids)
        cache.remember(piece, tokens: ids[start...])
    }
}

/// Workspaces that are not in use, so that what one call has cached serves the next without a lock around every piece.
final class WorkspacePool: Sendable {
    private let idle = Mutex<[EncodingWorkspace]>([])

    func take() -> EncodingWorkspace {
        idle.withLock { $0.popLast() } ?? EncodingWorkspace()
    }

    func giveBack(_ workspace: EncodingWorkspace) {
        idle.withLock { $0.append(workspace) }
    }
}
