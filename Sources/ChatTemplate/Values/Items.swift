/// The elements of a list or a tuple, which nothing changes: transformers renders in jinja2's immutable sandbox.
package struct Items {
    let elements: [Value]
    /// How deep lists lie in one another here, from 1.
    let depth: Int

    package init(_ elements: [Value]) {
        self.elements = elements
        depth = 1 + (elements.lazy.map(\.depth).max() ?? 0)
    }

    var count: Int { elements.count }
}
