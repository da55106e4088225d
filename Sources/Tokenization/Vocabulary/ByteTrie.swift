/// A trie over byte strings with a value each, all of its nodes in three arrays.
///
/// The nodes are in breadth-first order, so that the children of a node, sorted by their bytes, stand side by side.
struct ByteTrie: Sendable {
    /// The value of each node, -1 where no string ends.
    private var values: [Int32] = []
    /// The byte that leads to each node.
    private var labels: [UInt8] = [0]
    /// The children of node `i` are `firstChild[i]..<firstChild[i + 1]`.
    private var firstChild: [UInt32] = []
    /// The children of the root by their byte, 0 where there is none.
    private var childOfRoot = [UInt32](repeating: 0, count: 256)

    /// The node of the empty string.
    static let root: UInt32 = 0

    /// - Parameter entries: strings with values from 0 on; of equal strings the last counts. Empty strings are left out.
    /// - Complexity: O(n log n) comparisons of strings and O(their bytes).
    init(_ entries: [(bytes: [UInt8], value: Int32)]) {
        let order = entries.indices.filter { !entries[$0].bytes.isEmpty }.sorted {
            let (left, right) = (entries[$0].bytes, entries[$1].bytes)
            return left == right ? $0 < $1 : left.lexicographicallyPrecedes(right)
        }
        // The entries below each node: a range of `order`.
        var ranges = [0..<order.count]
        var depths: [Int32] = [0]
        var node = 0
        while node < ranges.count {
            let depth = Int(depths[node])
            var (start, end) = (ranges[node].lowerBound, ranges[node].upperBound)
            var value: Int32 = -1
            while start < end, entries[order[start]].bytes.count == depth {
                value = entries[order[start]].value
                start += 1
            }
            values.append(value)
            firstChild.append(UInt32(ranges.count))
            while start < end {
                let label = entries[order[start]].bytes[depth]
                var next = start + 1
                while next < end, entries[order[next]].bytes[depth] == label { next += 1 }
                if node == 0 { childOfRoot[Int(label)] = UInt32(ranges.count) }
                labels.append(label)
                ranges.append(start..<next)
                depths.append(Int32(depth + 1))
                start = next
            }
            end = start
            node += 1
        }
        firstChild.append(UInt32(ranges.count))
    }

    /// Whether there are no strings.
    var isEmpty: Bool { values.count == 1 }

    /// The value of the string that leads to a node; nil if there is none.
    @inline(__always)
    func value(at node: UInt32) -> Int32? {
        let value = values[Int(node)]
        return value < 0 ? nil : value
    }

    /// The node that a byte leads to; nil if there is none.
    @inline(__always)
    func child(of node: UInt32, _ byte: UInt8) -> UInt32? {
        if node == Self.root {
            let child = childOfRoot[Int(byte)]
            return child == 0 ? nil : child
        }
        var low = firstChild[Int(node)]
        var high = firstChild[Int(node) + 1]
        while high - low > 8 {
            let middle = (low + high) / 2
            if labels[Int(middle)] <= byte { low = middle } else { high = middle }
        }
        while low < high {
            if labels[Int(low)] == byte { return low }
            low += 1
        }
        return nil
    }

    /// The value of a whole string; nil if it is not among the strings.
    func value(of string: some Sequence<UInt8>) -> Int32? {
        var node = Self.root
        for byte in string {
            guard let child = child(of: node, byte) else { return nil }
            node = child
        }
        return value(at: node)
    }
}
