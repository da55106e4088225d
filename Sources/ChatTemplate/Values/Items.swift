/// The elements of an immutable list or tuple: transformers renders in jinja2's immutable sandbox.
package struct Items {
    let elements: [Value]
    /// Nesting depth, from 1.
    let depth: Int

    package init(_ elements: [Value]) {
        self.elements = elements
        depth = 1 + (elements.lazy.map(\.depth).max() ?? 0)
    }

    var count: Int { elements.count }
}
