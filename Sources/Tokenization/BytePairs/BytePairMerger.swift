/// Merges adjacent tokens of one piece until no merge applies. Its memory is reused for the next piece.
///
/// The tokens form a doubly linked list, and the merges that may apply wait in a heap, lowest rank first and leftmost
/// first among equals; a merge that no longer fits when its turn comes is dropped. A piece of n bytes takes O(n log n),
/// also where all of them are alike.
struct BytePairMerger {
    private struct Node {
        /// -1 once the token has been merged into the one before it.
        var token: TokenID
        /// Indices of the neighbours, -1 at the ends.
        var previous: Int32
        var next: Int32
    }

    private struct Candidate {
        var rank: Int32
        /// The left one of the two nodes.
        var node: Int32
        /// The token that the two become.
        var token: TokenID

        static func < (left: Candidate, right: Candidate) -> Bool {
            left.rank != right.rank ? left.rank < right.rank : left.node < right.node
        }
    }

    private var nodes: [Node] = []
    /// A binary heap with the smallest candidate first.
    private var candidates: [Candidate] = []

    /// Prepares for another piece.
    mutating func removeAll() {
        nodes.removeAll(keepingCapacity: true)
        candidates.removeAll(keepingCapacity: true)
    }

    /// Adds a token at the end.
    mutating func append(_ token: TokenID) {
        let index = Int32(nodes.count)
        if index > 0 { nodes[Int(index) - 1].next = index }
        nodes.append(Node(token: token, previous: index - 1, next: -1))
    }

    /// Calls `body` with the tokens from left to right.
    func forEachToken(_ body: (TokenID) -> Void) {
        for node in nodes where node.token >= 0 { body(node.token) }
    }

    /// Calls `body` with the tokens from left to right and where each begins: so many nodes from the first.
    func forEachTokenWithStart(_ body: (TokenID, Int) -> Void) {
        for (start, node) in nodes.enumerated() where node.token >= 0 { body(node.token, start) }
    }

    mutating func merge(by merges: MergeTable) {
        for index in nodes.indices.dropLast() { propose(Int32(index), by: merges) }
        while let candidate = popCandidate() {
            let left = nodes[Int(candidate.node)]
            guard left.token >= 0, left.next >= 0 else { continue }
            let right = nodes[Int(left.next)]
            // The neighbours may have changed since. As in the reference implementation only the resulting token is
            // compared, so a candidate also applies to another pair with the same result.
            guard let merge = merges[left.token, right.token], merge.token == candidate.token else { continue }

            nodes[Int(candidate.node)].token = candidate.token
            nodes[Int(candidate.node)].next = right.next
            nodes[Int(left.next)].token = -1
            if right.next >= 0 { nodes[Int(right.next)].previous = candidate.node }

            if left.previous >= 0 { propose(left.previous, by: merges) }
            propose(candidate.node, by: merges)
        }
    }

    /// Puts the merge of a node with its successor into the heap, if there is one.
    private mutating func propose(_ node: Int32, by merges: MergeTable) {
        let next = nodes[Int(node)].next
        guard next >= 0, let merge = merges[nodes[Int(node)].token, nodes[Int(next)].token] else { return }
        var position = candidates.count
        let candidate = Candidate(rank: merge.rank, node: node, token: merge.token)
        candidates.append(candidate)
        while position > 0 {
            let parent = (position - 1) / 2
            guard candidate < candidates[parent] else { break }
            candidates[position] = candidates[parent]
            position = parent
        }
        candidates[position] = candidate
    }

    private mutating func popCandidate() -> Candidate? {
        guard let first = candidates.first, let last = candidates.popLast() else { return nil }
        guard !candidates.isEmpty else { return first }
        var position = 0
        while true {
            var child = 2 * position + 1
            guard child < candidates.count else { break }
            if child + 1 < candidates.count, candidates[child + 1] < candidates[child] { child += 1 }
            guard candidates[child] < last else { break }
            candidates[position] = candidates[child]
            position = child
        }
        candidates[position] = last
        return first
    }
}
