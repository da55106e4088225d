internal import Synchronization

/// The mutable state of one encoding call.
///
/// Sendable because `WorkspacePool` gives each workspace to one caller at a time.
final class EncodingWorkspace: @unchecked Sendable {
    var merger = BytePairMerger()
    var cache = PieceCache()
    var nodes: [UnigramModel.Node] = []

    /// Appends the tokens of a piece of bytes.
    func encode(_ piece: UnsafeBufferPointer<UInt8>, by model: BytePairModel, into sink: inout TokenSink) {
        sink.passOn()
        if cache.append(piece, to: &sink.ids) { return }
        let start = sink.ids.count
        model.encode(piece, with: &merger, into: &sink)
        // Tokens of a long piece may have been passed on.
        if piece.count <= PieceCache.maximumKeyCount { cache.remember(piece, tokens: sink.ids[start...]) }
    }

    /// Appends the tokens of a piece.
    func encode(_ piece: UnsafeBufferPointer<UInt8>, by model: TokenModel, into sink: inout TokenSink) {
        switch model {
        case .bytePairs(let model): return encode(piece, by: model, into: &sink)
        // It has a cache for its segments.
        case .characterPairs(let model): return model.encode(piece, with: self, into: &sink)
        case .unigram, .words: break
        }
        sink.passOn()
        if cache.append(piece, to: &sink.ids) { return }
        let start = sink.ids.count
        switch model {
        case .unigram(let model): model.encode(piece, with: &nodes, into: &sink)
        case .words(let model): model.encode(piece, into: &sink)
        case .bytePairs, .characterPairs: return
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
