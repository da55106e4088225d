internal import Synchronization

/// The mutable state of one encoding call.
///
/// Sendable because `WorkspacePool` gives each workspace to one caller at a time.
final class EncodingWorkspace: @unchecked Sendable {
    var merger = BytePairMerger()
    var cache = PieceCache()
    var nodes: [UnigramModel.Node] = []

    /// Appends the tokens of a piece.
    func encode(_ piece: UnsafeBufferPointer<UInt8>, by model: TokenModel, into sink: inout TokenSink) {
        // It has a cache for its segments.
        if case .characterPairs(let model) = model { return model.encode(piece, with: self, into: &sink) }
        sink.passOn()
        if cache.append(piece, to: &sink.ids) { return }
        let start = sink.ids.count
        switch model {
        case .bytePairs(let model): model.encode(piece, with: &merger, into: &sink)
        case .unigram(let model): model.encode(piece, with: &nodes, into: &sink)
        case .words(let model): model.encode(piece, into: &sink)
        case .characterPairs: break
        }
        // Tokens of a long piece may have been passed on.
        if piece.count <= PieceCache.maximumKeyCount { cache.remember(piece, tokens: sink.ids[start...]) }
    }
}

/// Idle workspaces, so that the cache of one call serves the next without a lock around every piece.
final class WorkspacePool: Sendable {
    private let idle = Mutex<[EncodingWorkspace]>([])

    func take() -> EncodingWorkspace {
        idle.withLock { $0.popLast() } ?? EncodingWorkspace()
    }

    func giveBack(_ workspace: EncodingWorkspace) {
        idle.withLock { $0.append(workspace) }
    }
}
