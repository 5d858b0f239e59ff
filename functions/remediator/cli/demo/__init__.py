"""Tell the story: deploy, rotate, repair, roll back, and who refuses which attack."""
