"""Tell the story of the main job on an embedded Azure."""
