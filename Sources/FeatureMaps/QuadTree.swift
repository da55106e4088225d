/// Points of a plane in nested squares, so that many far ones count as one (Barnes, Hut 1986, Nature 324).
///
/// Nodes stand in the order of a walk through the tree, each with the place behind its subtree: a sum is one loop.
final class QuadTree: @unchecked Sendable {
    private struct Node {
        /// Mean of its points.
        var x: Float
        var y: Float
        /// How many points there are.
        var mass: Float
        /// The square of its side.
        var square: Float
        /// The node behind its subtree.
        var next: Int32
        /// Its first point in `order`.
        var first: Int32
        /// Its points if it is a leaf, else 0.
        var leafCount: Int32
    }

    /// Points of a leaf at most, unless they coincide.
    private static let leafSize = 6
    /// Halvings; points still together then share a leaf.
    private static let deepest = 40

    private let count: Int
    private let nodes: UnsafeMutablePointer<Node>
    private let scratch: UnsafeMutablePointer<Int32>
    private let xs: UnsafeMutablePointer<Float>
    private let ys: UnsafeMutablePointer<Float>
    private var nodeCount = 0
    /// The points' numbers, those of a square one after another: an order that suits the caches.
    let order: UnsafeMutablePointer<Int32>

    /// Makes a tree for so many points.
    init(count: Int) {
        self.count = count
        // Each inner node has two children or more.
        nodes = .allocate(capacity: max(1, 2 * count))
        scratch = .allocate(capacity: max(1, count))
        order = .allocate(capacity: max(1, count))
        xs = .allocate(capacity: max(1, count))
        ys = .allocate(capacity: max(1, count))
        for point in 0..<count { order[point] = Int32(point) }
    }

    deinit {
        nodes.deallocate()
        scratch.deallocate()
        order.deallocate()
        xs.deallocate()
        ys.deallocate()
    }

    /// Sorts points into squares.
    func build(x: UnsafePointer<Float>, y: UnsafePointer<Float>) {
        nodeCount = 0
        guard count > 0 else { return }
        var (left, right, bottom, top) = (x[0], x[0], y[0], y[0])
        for point in 1..<max(1, count) {
            (left, right) = (min(left, x[point]), max(right, x[point]))
            (bottom, top) = (min(bottom, y[point]), max(top, y[point]))
        }
        let half = max((right - left) / 2, (top - bottom) / 2) * 1.0001
        split(0, count, (left + right) / 2, (bottom + top) / 2, half, 0, x, y)
        for place in 0..<count {
            xs[place] = x[Int(order[place])]
            ys[place] = y[Int(order[place])]
        }
    }

    /// Makes the node of the points from `first` to `end`, and those below it.
    private func split(
        _ first: Int, _ end: Int, _ centerX: Float, _ centerY: Float, _ half: Float, _ depth: Int,
        _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>
    ) {
        var (centerX, centerY, half, depth) = (centerX, centerY, half, depth)
        var bounds = (first, first, first, first)
        while end - first > Self.leafSize, depth < Self.deepest {
            bounds = partition(first, end, centerX, centerY, x, y)
            let isWhole =
                bounds.0 == end || bounds.0 == first && bounds.1 == end
                || bounds.1 == first && bounds.2 == end || bounds.2 == first
            guard isWhole else { break }
            // All in one quarter: that takes the square's place.
            half /= 2
            depth += 1
            let point = Int(order[first])
            centerX += x[point] < centerX ? -half : half
            centerY += y[point] < centerY ? -half : half
        }
        let node = nodeCount
        nodeCount += 1
        var (sumX, sumY) = (Float(0), Float(0))
        let isLeaf = end - first <= Self.leafSize || depth >= Self.deepest
        if isLeaf {
            for place in first..<end {
                sumX += x[Int(order[place])]
                sumY += y[Int(order[place])]
            }
        } else {
            let quarters = [(first, bounds.0), (bounds.0, bounds.1), (bounds.1, bounds.2), (bounds.2, end)]
            for (number, quarter) in quarters.enumerated() where quarter.0 < quarter.1 {
                let child = nodeCount
                split(
                    quarter.0, quarter.1, centerX + (number & 1 == 0 ? -half / 2 : half / 2),
                    centerY + (number < 2 ? -half / 2 : half / 2), half / 2, depth + 1, x, y)
                sumX += nodes[child].x * nodes[child].mass
                sumY += nodes[child].y * nodes[child].mass
            }
        }
        let mass = Float(end - first)
        nodes[node] = Node(
            x: sumX / mass, y: sumY / mass, mass: mass, square: 4 * half * half, next: Int32(nodeCount),
            first: Int32(first), leafCount: isLeaf ? Int32(end - first) : 0)
    }

    /// Sorts points by the four quarters of a square, otherwise leaving their order.
    ///
    /// - Returns: where the second, third and fourth quarter begin.
    private func partition(
        _ first: Int, _ end: Int, _ centerX: Float, _ centerY: Float, _ x: UnsafePointer<Float>,
        _ y: UnsafePointer<Float>
    ) -> (Int, Int, Int, Int) {
        var places = (first, 0, 0, 0)
        withUnsafeMutableBytes(of: &places) { bytes in
            let next = bytes.bindMemory(to: Int.self)
            for quarter in 1..<4 { next[quarter] = first }
            for place in first..<end {
                let point = Int(order[place])
                let quarter = (x[point] < centerX ? 0 : 1) + (y[point] < centerY ? 0 : 2)
                for later in quarter + 1..<max(quarter + 1, 4) { next[later] += 1 }
            }
            for place in first..<end {
                let point = Int(order[place])
                let quarter = (x[point] < centerX ? 0 : 1) + (y[point] < centerY ? 0 : 2)
                scratch[next[quarter]] = order[place]
                next[quarter] += 1
            }
        }
        (order + first).update(from: scratch + first, count: end - first)
        return places
    }

    /// Σ q, Σ q² (x − x_j) and Σ q² (y − y_j) over all points j, with q = 1 / (1 + distance²); the point itself, if it is
    /// one of them, counts 1 in the first.
    ///
    /// - Parameter accuracy: squares whose side is below this share of the distance count as one point; 0 for none.
    func repulsion(x: Float, y: Float, accuracy: Float) -> (total: Float, x: Float, y: Float) {
        let limit = accuracy * accuracy
        var (total, sumX, sumY) = (Float(0), Float(0), Float(0))
        var place = 0
        while place < nodeCount {
            let node = nodes[place]
            let (dx, dy) = (x - node.x, y - node.y)
            let distance = dx * dx + dy * dy
            if node.square < limit * distance {
                let q = 1 / (1 + distance)
                let share = node.mass * q
                total += share
                sumX += share * q * dx
                sumY += share * q * dy
                place = Int(node.next)
            } else if node.leafCount > 0 {
                for point in Int(node.first)..<Int(node.first + node.leafCount) {
                    let (dx, dy) = (x - xs[point], y - ys[point])
                    let q = 1 / (1 + dx * dx + dy * dy)
                    total += q
                    sumX += q * q * dx
                    sumY += q * q * dy
                }
                place = Int(node.next)
            } else {
                place += 1
            }
        }
        return (total, sumX, sumY)
    }
}
