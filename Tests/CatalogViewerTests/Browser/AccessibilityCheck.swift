import BrowserSupport
import Foundation
import JSON
import TestSupport

/// axe-core's rules for WCAG 2.2 AA.
struct AccessibilityCheck: Sendable {
    /// Where `tools/bootstrap tests` puts it.
    private static let path = repositoryFile(".build/axe/axe.min.js")
    /// What to say when it is not there.
    static let howToGet = "axe-core is not installed, so accessibility is not checked; `tools/bootstrap tests` gets it"
    /// The check; nil if axe-core is not installed.
    static let script: AccessibilityCheck? = {
        guard let source = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        return AccessibilityCheck(source: source)
    }()

    private let source: String

    /// Which rules are checked.
    enum Rules: String {
        /// All of WCAG 2.2 AA.
        case all = #"["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]"#
        /// Those that depend on the width.
        case layout = #"{type: "rule", values: ["target-size", "scrollable-region-focusable"]}"#
        /// Those that depend on colours.
        case colours = #"{type: "rule", values: ["color-contrast", "link-in-text-block"]}"#
    }

    /// What the page in a tab breaks: rule, element and what is wrong.
    func violations(in tab: BrowserTab, _ rules: Rules = .all) async throws -> [String] {
        if try await tab.evaluate("typeof axe") != .string("object") { try await tab.evaluate(source + "\n;0") }
        let found = try await tab.evaluate(
            """
            // Style sheets are read a second time only where a page may fetch.
            axe.run(document, {
              preload: location.protocol.startsWith("http"), runOnly: \(rules.rawValue), resultTypes: ["violations"]})
            .then(result => result.violations.flatMap(rule => rule.nodes.map(node =>
              rule.id + ": " + node.html.slice(0, 160) + " " + node.failureSummary)))
            """)
        guard case .array(let lines) = found else { return ["axe gave no list"] }
        return lines.compactMap(\.string)
    }
}
