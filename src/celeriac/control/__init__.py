"""Remote control: ask running workers, and be told. Commands travel as notices, in the words of kombu's pidbox."""
