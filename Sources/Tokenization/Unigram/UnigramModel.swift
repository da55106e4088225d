/// A unigram language model: the split of a piece into tokens with the largest sum of scores (Kudo 2018, arXiv
/// 1804.10959), found by Viterbi's algorithm in the order and precision of the reference implementation.
final class UnigramModel: Sendable {
    /// The ids of the tokens.
    let trie: ByteTrie
    /// The scores by id.
    let scores: [Double]
    let unknownToken: TokenID
    /// The score of a character without a token.
    let unknownScore: Double
    /// The tokens of the bytes of characters without a token, -1 where there is none; empty without `byte_fallback`.
    let byteTokens: [TokenID]

    /// The best way to a position.
    struct Node {
        var score = 0.0
        /// The last token on the way, -1 where no way leads yet.
        var token: TokenID = -1
        /// The length of that token in bytes.
        var length: Int32 = 0
    }

    /// Positions after which what is certain is delivered.
    private static let window = 1 << 12

    /// - Parameter vocabulary: tokens with their scores by id.
    init(vocabulary: [(token: [UInt8], score: Double)], unknownToken: TokenID, byteTokens: [TokenID]) {
        trie = ByteTrie(vocabulary.enumerated().map { ($0.element.token, Int32($0.offset)) })
        scores = vocabulary.map(\.score)
        self.unknownToken = unknownToken
        // As a loop, since a score may be no number.
        var least = Double.infinity
        for score in scores where score < least { least = score }
        unknownScore = least - 10
        self.byteTokens = byteTokens
    }

    /// Appends the tokens of a piece. Memory does not grow with it as long as there are positions no token goes across.
    ///
    /// - Complexity: O(n · longest token).
    func encode(
        _ piece: UnsafeBufferPointer<UInt8>, with nodes: inout [Node], into sink: inout TokenSink
    ) {
        var base = 0
        nodes.removeAll(keepingCapacity: true)
        nodes.append(Node())
        var position = 0
        while position < piece.count {
            let score = nodes[position - base].score
            // No token goes across this position, and none of the unknown ones that become one.
            if position - base >= Self.window, nodes.count == position - base + 1,
                nodes[position - base].token != unknownToken
            {
                deliver(nodes, of: piece, from: base, into: &sink)
                sink.passOn()
                base = position
                nodes.removeAll(keepingCapacity: true)
                nodes.append(Node(score: score))
            }
            position = extend(&nodes, at: position, base: base, score: score, in: piece)
        }
        deliver(nodes, of: piece, from: base, into: &sink)
    }

    /// Takes all tokens that begin at a position as candidates, and returns the position of the next character.
    private func extend(
        _ nodes: inout [Node], at position: Int, base: Int, score: Double, in piece: UnsafeBufferPointer<UInt8>
    ) -> Int {
        let next = piece.scalar(at: position).next
        var hasCharacter = false
        var node = ByteTrie.root
        var end = position
        while end < piece.count, let child = trie.child(of: node, piece[end]) {
            node = child
            end += 1
            guard let token = trie.value(at: node) else { continue }
            propose(token, score + scores[Int(token)], from: position, to: end, base: base, &nodes)
            if end == next { hasCharacter = true }
        }
        if !hasCharacter {
            propose(unknownToken, score + unknownScore, from: position, to: next, base: base, &nodes)
        }
        return next
    }

    @inline(__always)
    private func propose(
        _ token: TokenID, _ score: Double, from start: Int, to end: Int, base: Int, _ nodes: inout [Node]
    ) {
        while nodes.count <= end - base { nodes.append(Node()) }
        let node = nodes[end - base]
        if node.token < 0 || score > node.score {
            nodes[end - base] = Node(score: score, token: token, length: Int32(end - start))
        }
    }

    /// Appends the tokens of the best way to the last node.
    private func deliver(
        _ nodes: [Node], of piece: UnsafeBufferPointer<UInt8>, from base: Int, into sink: inout TokenSink
    ) {
        var end = nodes.count - 1
        let first = sink.ids.count
        while end > 0 {
            var node = nodes[end]
            guard node.token == unknownToken else {
                sink.ids.append(node.token)
                end -= Int(node.length)
                continue
            }
            // A run of unknown tokens becomes one, or the tokens of its bytes.
            var start = end
            while start > 0, node.token == unknownToken {
                start -= Int(node.length)
                node = nodes[start]
            }
            let run = piece[(base + start)..<(base + end)]
            if let token = trie.value(of: run) {
                sink.ids.append(token)
            } else if !byteTokens.isEmpty, run.allSatisfy({ byteTokens[Int($0)] >= 0 }) {
                for byte in run.reversed() { sink.ids.append(byteTokens[Int(byte)]) }
            } else {
                sink.ids.append(unknownToken)
            }
            end = start
        }
        sink.ids[first...].reverse()
    }
}
