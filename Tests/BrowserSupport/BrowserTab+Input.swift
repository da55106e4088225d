import JSON

extension BrowserTab {
    /// A key that pages listen to.
    package enum Key: String, Sendable {
        case slash = "/"
        case question = "?"
        case left = "ArrowLeft"
        case right = "ArrowRight"
        case up = "ArrowUp"
        case down = "ArrowDown"
        case enter = "Enter"
        case escape = "Escape"
        case tab = "Tab"
        case space = " "

        /// The number by which systems know it.
        fileprivate var code: Int {
            switch self {
            case .slash, .question: 191
            case .left: 37
            case .up: 38
            case .right: 39
            case .down: 40
            case .enter: 13
            case .escape: 27
            case .tab: 9
            case .space: 32
            }
        }

        /// What it types.
        fileprivate var text: String? {
            switch self {
            case .slash, .question, .space: rawValue
            case .enter: "\r"
            default: nil
            }
        }
    }

    /// Presses and releases a key.
    package func press(_ key: Key) async throws {
        var pressed: JSONObject = [
            "type": .string(key.text == nil ? "rawKeyDown" : "keyDown"), "key": .string(key.rawValue),
            "windowsVirtualKeyCode": .integer(key.code),
        ]
        if let text = key.text { pressed.members.append(.init(name: "text", value: .string(text))) }
        try await call("Input.dispatchKeyEvent", pressed)
        try await call(
            "Input.dispatchKeyEvent",
            ["type": .string("keyUp"), "key": .string(key.rawValue), "windowsVirtualKeyCode": .integer(key.code)])
    }

    /// Presses a letter or digit.
    package func press(character: Character) async throws {
        let text = JSONValue.string(String(character))
        try await call("Input.dispatchKeyEvent", ["type": .string("keyDown"), "key": text, "text": text])
        try await call("Input.dispatchKeyEvent", ["type": .string("keyUp"), "key": text])
    }

    /// Types a text where the cursor is.
    package func type(_ text: String) async throws { try await call("Input.insertText", ["text": .string(text)]) }

    /// Replaces what a field holds by typing.
    package func fill(_ selector: String, _ text: String) async throws {
        try await click(selector)
        try await evaluate("\(Self.element(selector)).select()")
        if text.isEmpty {
            try await call(
                "Input.dispatchKeyEvent",
                [
                    "type": .string("keyDown"), "key": .string("Delete"),
                    "windowsVirtualKeyCode": .integer(46),
                ])
        } else {
            try await type(text)
        }
    }

    /// Clicks into the middle of the first element that a selector finds.
    ///
    /// - Throws: `BrowserProblem` if there is none, or another one covers it.
    package func click(_ selector: String) async throws {
        let place = try await evaluate(
            """
            (() => {
              const element = \(Self.element(selector));
              if (!element) return "is not there";
              element.scrollIntoView({block: "center", behavior: "instant"});
              const box = element.getClientRects()[0];
              if (!box || box.width === 0) return "is not shown";
              const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
              const hit = document.elementFromPoint(x, y);
              if (!element.contains(hit) && !hit?.contains(element))
                return "is covered by " + hit?.outerHTML.slice(0, 99);
              return [x, y];
            })()
            """)
        guard case .array(let point) = place else { throw BrowserProblem("\(selector) \(place.string ?? "is lost")") }
        for type in ["mouseMoved", "mousePressed", "mouseReleased"] {
            try await call(
                "Input.dispatchMouseEvent",
                [
                    "type": .string(type), "x": point[0], "y": point[1],
                    "button": .string(type == "mouseMoved" ? "none" : "left"), "clickCount": .integer(1),
                ])
        }
    }

    /// Chooses a value in a list.
    package func choose(_ selector: String, _ value: String) async throws {
        // The list of choices is the system's own window, which no page and no protocol reaches.
        let found = try await evaluate(
            """
            (() => {
              const list = \(Self.element(selector));
              list.value = \(Self.quoted(value));
              list.dispatchEvent(new Event("change", {bubbles: true}));
              return list.value === \(Self.quoted(value));
            })()
            """)
        guard found == .boolean(true) else { throw BrowserProblem("\(selector) has no \(value)") }
    }

    /// The texts of all elements that a selector finds.
    package func texts(_ selector: String) async throws -> [String] {
        let found = try await evaluate(
            "[...document.querySelectorAll(\(Self.quoted(selector)))].map(element => element.textContent)")
        guard case .array(let texts) = found else { return [] }
        return texts.compactMap(\.string)
    }

    /// A string as JavaScript spells it.
    package static func quoted(_ text: String) -> String { JSONWriter.canonical.text(.string(text)) }

    private static func element(_ selector: String) -> String { "document.querySelector(\(quoted(selector)))" }
}
